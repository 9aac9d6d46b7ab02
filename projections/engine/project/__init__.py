"""How a projector works: lanes from the log to the rows, catching up, what fails and what comes of it."""
