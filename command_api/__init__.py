"""The write side: events and commands come in here, over HTTP and gRPC; it knows no projection."""
