"""The configuration that people command: companies, dashboards, alert rules, report schedules, as pure functions.

An aggregate is a file: its state, commands and events, `decide` (state, command → events) and `evolve` (state, event →
state). Time and ids are arguments; nothing here knows a store, a door or a projection. `registry.py` names them all.
"""
