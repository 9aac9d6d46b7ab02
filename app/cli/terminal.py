"""What people at a terminal get beside plain lines: long listings a page at a time, and what moves in its place."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

import click

UP, CLEAR = "\x1b[{}A", "\x1b[J"  # so many lines up; clear from here on


def show_lines(lines: Sequence[str]) -> None:
    """Lines; through the pager (PAGER) at a terminal that they do not fit."""
    if sys.stdout.isatty() and sys.stdin.isatty() and len(lines) > shutil.get_terminal_size().lines:
        click.echo_via_pager("\n".join(lines))
    else:
        for line in lines:
            click.echo(line)


class Redrawn:
    """Shows the newest lines in the place of those before, at a terminal; else below them."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, lines: Sequence[str]) -> None:
        """Show these, cut where the terminal ends: what was drawn could not be found again otherwise."""
        if sys.stdout.isatty():
            size = shutil.get_terminal_size()
            lines = [line[: size.columns - 1] for line in lines[: size.lines - 1]]
            if self._lines:
                sys.stdout.write(UP.format(self._lines) + CLEAR)
        self._lines = len(lines)
        click.echo("\n".join(lines))
