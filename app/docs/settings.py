"""docs/reference/settings.md, from `app.settings`."""

from __future__ import annotations

from dataclasses import fields

from app.docs.markdown import document, table
from app.settings import Settings, default, variable

INTRODUCTION = """# Settings

Every setting is an environment variable; those that one command often needs also have a flag (see [cli](cli.md)).
A flag goes before its variable, a variable before the default. `analytics settings` shows what is in force, with
secrets hidden. A value that cannot be read stops the command with one line that names the variable.
"""


def settings_page() -> str:
    """One row a setting."""
    rows = [
        (f"`{variable(s)}`", s.metadata["doc"], f"`{default(s)}`" if default(s) else "", _secret(s.metadata["secret"]))
        for s in fields(Settings)
    ]
    return document(INTRODUCTION, table(("variable", "meaning", "default", "shown"), rows))


def _secret(secret: bool) -> str:
    return "hidden" if secret else "yes"
