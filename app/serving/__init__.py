"""What every request goes through first, and the servers behind which the APIs stand."""
