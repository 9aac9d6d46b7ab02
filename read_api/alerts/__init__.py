"""Alert rules on the read side: evaluated on what is final, told to people, tried on the past."""
