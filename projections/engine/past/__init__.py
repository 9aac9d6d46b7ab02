"""The past of one company: its events folded again, and the events behind a measure."""
