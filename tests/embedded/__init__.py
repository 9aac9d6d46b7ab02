"""What only the embedded servers and the embedded log promise."""
