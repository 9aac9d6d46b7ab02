"""Engagement: who came back, how often, and on which paths. Statistics of columns: users as numbers, times in ms."""
