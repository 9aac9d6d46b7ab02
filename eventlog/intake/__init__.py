"""What all doors stand on: raw events in, checked, deduplicated and durable; bad ones in quarantine."""
