"""Alert rules on the read side."""
