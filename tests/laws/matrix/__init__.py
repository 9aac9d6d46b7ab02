"""Who may what at every door: made from what the doors say of themselves, judged by one table."""
