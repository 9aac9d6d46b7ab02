"""Metrics: one statistic a file, pure functions of arrays and whole numbers, and the catalogue that names them."""
