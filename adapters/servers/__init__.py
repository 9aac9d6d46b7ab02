"""The embedded servers: PostgreSQL and NATS, started, shared, ended."""
