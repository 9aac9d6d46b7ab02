"""What the read side answers from, put together for its roles and for the command line."""
