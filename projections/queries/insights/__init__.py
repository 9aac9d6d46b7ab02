"""Questions that find something out: trends, drivers, peers, what customers will do."""
