"""One instance in its data folder: started, supervised, stopped."""
