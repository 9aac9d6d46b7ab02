"""What is true, with no I/O: events, values, rules, ports."""
