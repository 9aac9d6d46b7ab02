"""Subscriptions and what they come to: their life, MRR, and the policies under which it is read."""
