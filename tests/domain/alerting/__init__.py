"""Alert rules evaluated."""
