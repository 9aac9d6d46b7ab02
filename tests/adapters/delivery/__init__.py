"""What only the NATS bus promises."""
