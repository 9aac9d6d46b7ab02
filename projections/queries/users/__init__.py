"""Questions about users: how active they are, what steps they take, whether they come back."""
