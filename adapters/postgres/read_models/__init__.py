"""Tables of projections: how they are written, built, read and copied."""
