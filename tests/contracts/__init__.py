"""One suite a port; each runs for every adapter of the port."""
