"""Publishing: how events get into the log, from typed builders in other services or as bytes through a door."""
