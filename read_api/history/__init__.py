"""The event history for auditors: searching the log, one event in full, and what of it somebody may see."""
