"""The routes of the engineer's pages."""

from __future__ import annotations

from read_api.web.engine.projections import do_with_projection, engine_page, projection_page
from read_api.web.engine.quarantine import do_with_entry, entry_page, quarantine_page

ENGINE = (engine_page, projection_page, do_with_projection, quarantine_page, entry_page, do_with_entry)
