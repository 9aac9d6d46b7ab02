"""Questions over several projections, by subject."""
