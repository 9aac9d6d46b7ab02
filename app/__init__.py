"""The composition root: settings, wiring, processes, the command line. The only place that reads the environment."""
