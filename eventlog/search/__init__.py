"""Searching the log: its blocks, and what is known of them."""
