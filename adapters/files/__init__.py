"""Files of the data folder that must last."""
