"""Everything that happens to the log, through ports: reading, taking in, publishing, sealing, searching."""
