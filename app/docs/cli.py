"""docs/reference/cli.md, from the tree of commands."""

from __future__ import annotations

from collections.abc import Iterator

import click

from app.cli.main import main
from app.docs.markdown import document, table

INTRODUCTION = """# Command line

The command is `.venv/bin/analytics` after `make setup`. Every listing takes `--json`. An error is one clear line on
the standard error output and a code that is not 0. Commands work on the instance that runs in `--data DIR`; where none
runs, they start the embedded servers for their own time.
"""


def cli_page() -> str:
    """Every command with its arguments and options."""
    return document(INTRODUCTION, *(_section(name, command) for name, command in commands()))


def commands(group: click.Command = main, name: str = "analytics") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name; groups are walked, hidden commands left out."""
    if not isinstance(group, click.Group):
        yield name, group
        return
    context = click.Context(group, info_name=name)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if command is not None and not command.hidden:
            yield from commands(command, f"{name} {word}")


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = f"`{' '.join([name, *command.collect_usage_pieces(context)])}`"
    options = [o for o in command.params if isinstance(o, click.Option) and not o.hidden]
    rows = [(_flags(option), option.help or "", _default(option, context)) for option in options]
    listing = table(("option", "meaning", "default"), rows) if rows else ""
    return document(f"## {name}", usage, _prose(command.help or ""), listing)


def _flags(option: click.Option) -> str:
    names = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} {(option.metavar or option.type.name).upper()}"


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _default(option: click.Option, context: click.Context) -> str:
    value = option.get_default(context, call=False)
    is_given = not option.is_flag and isinstance(value, str | int | float) and value != ""
    return f"`{value}`" if is_given else ""
