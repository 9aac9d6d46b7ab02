"""Commands about this installation: version, doctor, completion."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import ssl
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import click

from app.cli.frame import as_json, show_json, show_rows, with_settings
from app.instance.instance import Where, running_instance
from app.settings import Settings
from domain.access.rights import EVERY_COMPANY, Role, Tier
from domain.errors import AnalyticsError, Invalid

PARTS = ("trading-analytics-service", "polars", "numpy", "protobuf", "grpcio", "litestar", "psycopg", "nats-py")
SCARCE, EMPTY = 5e9, 5e8  # free bytes: a rebuild beside needs room for a second copy; without any nothing is durable
PATIENCE = 5.0  # seconds that the read API may take to say how it is
OK, WARNING, FAULT = "ok", "warning", "fault"
FAULTS_FOUND = 1  # exit code


class Check(NamedTuple):
    """One thing that was looked at: how it is, and what to do where that is not well."""

    check: str
    state: str
    detail: str
    advice: str = ""


@click.command()
@as_json
def version(as_json: bool) -> None:
    """Show the version of this service, of Python, and of what it stands on."""
    rows = [{"part": part, "version": importlib.metadata.version(part)} for part in PARTS]
    show_rows([*rows, {"part": "python", "version": platform.python_version()}], ("part", "version"), as_json=as_json)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and names of queries: eval "$(analytics completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise Invalid(f"there is no completion for {shell}", code="bad_parameter")
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "analytics", "_ANALYTICS_COMPLETE").source())


@click.command()
@as_json
@with_settings
def doctor(settings: Settings, as_json: bool) -> None:
    """Look at the data folder, its keys, the disk, and the instance that runs there; exit code 1 where one is faulty.

    Starts nothing and changes nothing.
    """
    found = [*_of_folder(settings), *_of_instance(settings)]
    rows = [check._asdict() for check in found]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, Check._fields, as_json=False)
    sys.exit(FAULTS_FOUND if any(check.state == FAULT for check in found) else 0)


def _of_folder(settings: Settings) -> Iterator[Check]:
    folder = settings.data
    if not folder.is_dir():
        yield Check("data folder", WARNING, f"there is no {folder}", "Name another with --data, or start it.")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o067:  # the group of the embedded servers may go through it
        yield Check("data folder", FAULT, f"{folder} is open to others (mode {mode:04o})", f"Run `chmod 700 {folder}`.")
    elif not os.access(folder, os.W_OK):
        yield Check("data folder", FAULT, f"{folder} cannot be written", "Run as its owner.")
    else:
        yield Check("data folder", OK, str(folder))
    yield _disk(folder)
    yield _keys(folder / "keys")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    state = FAULT if free < EMPTY else WARNING if free < SCARCE else OK
    return Check("disk", state, f"{free / 1e9:,.1f} GB free", "" if state == OK else "Make room: a rebuild takes more.")


def _keys(folder: Path) -> Check:
    from adapters.files.key_pair import secret

    files = sorted(folder.glob("*.pem")) if folder.is_dir() else []
    try:
        for file in files:
            secret(file)
    except AnalyticsError as error:
        return Check("keys", FAULT, str(error), " ".join(error.suggested_actions))
    return Check("keys", OK, f"{len(files)} of this instance" if files else "made when they are first needed")


def _of_instance(settings: Settings) -> Iterator[Check]:
    where = running_instance(settings.data)
    if where is None:
        yield Check("instance", WARNING, "none is ready in this folder", "Start one with `analytics up`.")
        return
    yield Check("instance", OK, f"process {where['pid']}, {where['read_api']}")
    try:
        health = _health(settings, where)
    except (OSError, ValueError) as error:
        yield Check("read API", FAULT, f"no answer: {error}", "Look at what `analytics up` prints.")
        return
    for part in health.get("components", ()):
        state = {"ok": OK, "degraded": WARNING}.get(part["status"], FAULT)
        yield Check(part["name"], state, part["detail"], "" if state == OK else "See `analytics projections status`.")
    lags = [row["lag_events"] or 0 for row in health.get("projections", ()) if row["live"]]
    yield Check("lag", OK, f"{max(lags, default=0):,} events behind at most")


def _health(settings: Settings, where: Where) -> dict[str, Any]:
    """What the read API says of itself. Raises OSError where it does not answer, ValueError for what is no JSON."""
    from app.wiring import token_issuer

    token = token_issuer(settings).issue("doctor", [Role.ENGINEER], EVERY_COMPANY, Tier.ENTERPRISE, 60)
    request = urllib.request.Request(f"{where['read_api']}/api/v1/health", headers={"Authorization": f"Bearer {token}"})
    trusted = ssl.create_default_context(cafile=str(settings.tls_certificate)) if settings.tls_certificate else None
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE, context=trusted)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        answer = error  # it is not ready, and says why
    with answer:
        found: dict[str, Any] = json.load(answer)
    return found


ABOUT = (version, doctor, completion)
