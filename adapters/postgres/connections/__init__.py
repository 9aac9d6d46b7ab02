"""Connections that come back, and what errors of the server mean."""
