"""Rebuilding projections with several processes."""
