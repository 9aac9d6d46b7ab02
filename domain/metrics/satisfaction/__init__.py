"""Satisfaction: what customers say when asked, and how soon they are helped."""
