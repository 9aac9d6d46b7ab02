"""Durable tables beside log and read models, a file each."""
