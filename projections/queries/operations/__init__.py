"""Questions about how services perform against their objectives."""
