"""The embedded event log: a table of runs, its readers, its workers."""
