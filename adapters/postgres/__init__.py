"""PostgreSQL: the embedded log, the configuration, read models and the tables beside them."""
