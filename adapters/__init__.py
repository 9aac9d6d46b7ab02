"""Everything that speaks to a server, a file or a protocol; drivers are imported here alone."""
