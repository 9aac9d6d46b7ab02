"""How the service is, and how far its projections are."""
