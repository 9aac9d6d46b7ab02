"""Commands about tamper evidence: log verify, prove, check-proof, key."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import as_json, public_key, run, show_json, with_settings
from app.settings import Settings
from domain.clean_text import clean_message
from domain.errors import Invalid
from domain.position import Position

if TYPE_CHECKING:
    from eventlog.seals.verify import Verdict

PROBLEMS_FOUND = 1  # exit code


@click.command("verify")
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given several times.")
@click.option("--from", "begin", default="", metavar="POSITION", help="Begin with the block of this position.")
@click.option("--to", "end", default="", metavar="POSITION", help="End with the block of this position.")
@click.option("--since-last", is_flag=True, help="Begin where the last verification without a finding ended.")
@public_key
@as_json
@with_settings
def log_verify(
    settings: Settings,
    topics: tuple[str, ...],
    begin: str,
    end: str,
    since_last: bool,
    public_key: Path | None,
    as_json: bool,
) -> None:
    """Read the log and compare it with its seals and with the signed checkpoints; exit code 1 on any finding."""
    if begin and since_last:
        raise Invalid("--from and --since-last exclude each other", code="bad_parameter")
    pem = public_key.read_bytes() if public_key else None
    verdict = run(_verify(settings, topics, begin, end, since_last, pem))
    if as_json:
        show_json(verdict.as_json())
    else:
        _print_verdict(verdict)
    sys.exit(0 if verdict.verified else PROBLEMS_FOUND)


async def _verify(
    settings: Settings, topics: tuple[str, ...], begin: str, end: str, since_last: bool, public_key: bytes | None
) -> Verdict:
    from app.evidence import evidence, last_verified, remember_verified
    from app.instance.instance import reachable
    from app.wiring import event_log
    from domain.events.catalogue import STREAMS
    from eventlog.seals.verify import verify

    async with reachable(settings) as complete, event_log(complete) as log, evidence(complete, public_key) as kept:
        start = last_verified(complete) if since_last else Position.parse(begin)
        stop = Position.parse(end) if end else None
        verdict = await verify(log, kept, topics or STREAMS, start, stop, _progress())
        if verdict.verified and not begin and not end and not public_key:
            remember_verified(complete, last_verified(complete).merge(Position(verdict.reached)))
        return verdict


def _progress() -> Any:
    """Reports to a terminal now and then: how much, how fast, how long."""
    began, shown = time.monotonic(), [0.0]

    def report(done: int, total: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and (now - shown[0] > 0.2 or done == total):
            shown[0] = now
            rate = done / max(now - began, 1e-9)
            left = (total - done) / rate if rate else 0
            click.echo(f"\r\033[K{done:,} of {total:,} records, {rate:,.0f}/s, {left:.0f} s left", nl=False, err=True)

    return report


def _print_verdict(verdict: Verdict) -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    for finding in verdict.findings:
        click.echo(f"{finding.code}: {clean_message(finding.reason)}")
    for note in verdict.notes:
        click.echo(f"note: {note}")
    outcome = "verified" if verdict.verified else f"{len(verdict.findings)} findings"
    counts = f"{verdict.records:,} records in {verdict.blocks:,} blocks, {verdict.checkpoints:,} checkpoints"
    click.echo(f"{outcome}: {counts}; {verdict.unsealed:,} records are not sealed yet")
    click.echo(f"up to {verdict.position}")


@click.command("prove")
@click.argument("event")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else the terminal.")
@with_settings
def log_prove(settings: Settings, event: str, out: Path | None) -> None:
    """Export the proof that an event is in the log, by its id or its place TOPIC:PARTITION=OFFSET."""
    proof = json.dumps(run(_prove(settings, event)), indent=1)
    if out is None:
        click.echo(proof)
    else:
        out.write_text(proof + "\n")
        click.echo(f"{out}: give it away together with the public key (analytics log key)")


async def _prove(settings: Settings, event: str) -> dict[str, Any]:
    from app import wiring
    from app.cli.event_views import place_of
    from app.evidence import checkpoint_files
    from app.instance.instance import reachable
    from eventlog.seals.proof import prove

    async with (
        reachable(settings) as complete,
        wiring.event_log(complete) as log,
        wiring.event_search(complete, log) as search,
        wiring.seals(complete) as seals,
    ):
        topic, partition, offset = await place_of(search, event)
        return (await prove(log, seals, checkpoint_files(complete), (topic, partition), offset)).as_json()


@click.command("check-proof")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--public-key",
    required=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="PEM of the key that signs checkpoints.",
)
@as_json
def log_check_proof(file: Any, public_key: Path, as_json: bool) -> None:
    """Check an exported proof (FILE, - for stdin). Needs no server and no data folder."""
    from adapters.files.checkpoint_key import checker, read_public_key
    from eventlog.seals.proof import Proof, check

    try:
        given = json.loads(file.read())
    except ValueError as error:
        raise Invalid(f"this is no proof: {error}", code="bad_proof") from None
    proof = Proof.from_json(given)
    block = check(proof, checker(read_public_key(public_key.read_bytes())))
    place = f"{block.topic}:{block.partition}={proof.offset}"
    if as_json:
        show_json({"holds": True, "place": place, "checkpoint": proof.checkpoint.number, "at": proof.checkpoint.at})
    else:
        click.echo(f"the proof holds: {place} is in the log as checkpoint {proof.checkpoint.number} signed it")


@click.command("key")
@with_settings
def log_key(settings: Settings) -> None:
    """Print the public key that checkpoints are signed by, as PEM."""
    from adapters.files.checkpoint_key import public_pem, signing_key
    from app.wiring import keys

    click.echo(public_pem(signing_key(keys(settings)).public_key()).decode(), nl=False)


EVIDENCE = (log_verify, log_prove, log_check_proof, log_key)
