"""Dashboards: documents of tiles, answered as a whole. The standard ones are the files beside this."""
