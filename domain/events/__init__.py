"""The event catalogue: every event type, what a good one must have, and how older ones are read."""
