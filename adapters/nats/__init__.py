"""The live bus on NATS."""
