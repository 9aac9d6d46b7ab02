"""Insights: what the numbers say. Pure methods, each with its evidence, its minimum sample and a stated method."""
