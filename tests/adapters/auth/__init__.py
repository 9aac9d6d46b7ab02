"""Tests of adapters/auth, and of tokens at every door."""
