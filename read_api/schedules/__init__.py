"""Runs of report schedules: found out to be due, made, sent."""
