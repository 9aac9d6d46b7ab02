"""The event store of commands, and its side of the relay."""
