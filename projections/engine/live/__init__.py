"""Live windows: minutes folded as their events come, merged into longer ones, and what is said of them. No clock."""
