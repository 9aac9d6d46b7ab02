"""The relay: what was decided goes from the event store into the log, in commit order."""
