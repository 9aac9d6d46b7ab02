"""Sample data for `analytics up --demo`: what it is, how it is loaded, and what keeps it moving.

Market prices and purchases are real (data/SOURCES.md). Everything else is made up by rules and seeds that never change,
so that every machine has the same events under the same event ids and loading them twice adds nothing.
"""
