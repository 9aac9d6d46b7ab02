"""The projection `subscriptions`: its fold, its rows, its queries."""
