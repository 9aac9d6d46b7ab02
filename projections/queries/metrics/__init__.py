"""Questions about metrics of the catalogue."""
