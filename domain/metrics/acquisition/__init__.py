"""Acquisition and efficiency: how users and customers are won, and what that costs."""
