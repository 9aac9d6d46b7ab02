"""Durable tables, as Alembic revisions in plain SQL. Tables of read models are made from their declarations instead."""
