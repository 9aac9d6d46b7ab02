"""What the engine asks of a store: the port, and the SQL that follows from a declaration."""
