"""What a request carries with it: who asks, its correlation id, its trace."""
