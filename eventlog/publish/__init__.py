"""From an event in hand to the log and the live bus."""
