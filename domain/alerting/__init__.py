"""Alert rules evaluated: values in, changes of state out."""
