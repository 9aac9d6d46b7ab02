"""Questions about revenue that need more than one projection, or one under several policies."""
