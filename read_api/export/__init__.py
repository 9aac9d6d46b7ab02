"""Rows as files: a few of an answer, or all there are of a table."""
