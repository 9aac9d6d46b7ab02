"""Reports: what is asked for, which questions make one, and what is kept of it."""
