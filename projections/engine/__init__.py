"""Drives every projection: declaration, decode, admission, fold, store, query. Knows no projection by name."""
