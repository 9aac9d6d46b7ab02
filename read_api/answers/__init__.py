"""One way from a question to its answer, for every door."""
