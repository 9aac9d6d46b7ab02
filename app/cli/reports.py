"""Commands of reports: create, list, get, verify."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.events import parse_params
from app.cli.frame import as_json, public_key, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import Conflict, Invalid

if TYPE_CHECKING:
    from domain.reports.report import Proof, ReportRequest, StoredReport
    from read_api.answers.reports import Reports

PROBLEMS_FOUND = 1  # exit code
PROOF = ".proof.json"  # what the name of a report's file is followed by
PIECE = 1 << 20
company_option = click.option("--company", required=True, help="The company that it is about.")


@click.group()
def report() -> None:
    """Reports as PDF, Excel and JSON: made, listed, got, verified."""


@report.command("create")
@click.argument("kind")
@company_option
@click.option("--format", "form", default="pdf", show_default=True, help="pdf, xlsx or json.")
@click.option("--title", default="", help="Title on the cover.")
@click.option("--dashboard", default="", help="With kind custom: the dashboard whose tiles are its parts.")
@click.option(
    "--section", "sections", multiple=True, metavar="QUERY[:CHART]", help="With kind custom: a part of it; repeatable."
)
@click.option("--param", "-p", "params", multiple=True, metavar="K=V", help="For every query that knows it.")
@click.option("--locale", default="", help="Language of numbers and dates, such as en-US or de.")
@click.option("--asked-at", default="", metavar="TIME", help="The moment that open ends are taken of; now.")
@click.option("--at-position", default="", metavar="POSITION", help="What of the log it stands for; all of it.")
@click.option("--box", is_flag=True, help="A part that cannot be answered becomes a box that says why.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the file, and its proof beside it.")
@as_json
@with_settings
def create(settings: Settings, kind: str, company: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Make a report: executive, trading, users, system, or custom."""
    from domain.reports.report import ReportRequest, ReportSection

    sections = [(query, chart) for query, _, chart in (each.partition(":") for each in options["sections"])]
    request = ReportRequest(
        kind=kind,
        format=options["form"],
        title=options["title"],
        sections=[ReportSection(query=query, chart=chart) for query, chart in sections],
        dashboard=options["dashboard"],
        params=parse_params(options["params"]),
        locale=options["locale"],
        asked_at=options["asked_at"],
        at_position=options["at_position"],
        failures="box" if options["box"] else "",
    )
    made = run(_create(settings, company, request, out))
    _show(made, as_json=as_json)
    if made.error:
        raise Conflict(made.error, code="report_failed")


async def _create(settings: Settings, company: str, request: ReportRequest, out: Path | None) -> StoredReport:
    from domain.access.rights import OPERATOR
    from domain.reports.report import State

    async with _reports(settings) as reports:
        made = await reports.generate(OPERATOR, company, request)
        if out is not None and made.state is State.READY:
            await _write(reports, made, out)
        return made


@report.command("list")
@company_option
@click.option("--kind", default="", help="Only this kind.")
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="At most.")
@as_json
@with_settings
def listing(settings: Settings, company: str, kind: str, limit: int, as_json: bool) -> None:
    """List the reports of a company, the newest first."""
    found = run(_list(settings, company, kind, limit))
    columns = ("report_id", "kind", "format", "state", "requested_by", "size", "error")
    show_rows([_row(each) for each in found], columns, as_json=as_json)


async def _list(settings: Settings, company: str, kind: str, limit: int) -> list[StoredReport]:
    from domain.access.rights import OPERATOR

    async with _reports(settings) as reports:
        return list((await reports.listing(OPERATOR, company, kind, limit, "")).reports)


@report.command("get")
@click.argument("report_id")
@company_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else the report's name.")
@as_json
@with_settings
def get(settings: Settings, report_id: str, company: str, out: Path | None, as_json: bool) -> None:
    """Write the file of a report, and beside it what it is verified by."""
    _show(run(_get(settings, report_id, company, out)), as_json=as_json)


async def _get(settings: Settings, report_id: str, company: str, out: Path | None) -> StoredReport:
    from domain.access.rights import OPERATOR

    async with _reports(settings) as reports:
        found = await reports.find(OPERATOR, company, report_id)
        await _write(reports, found, out or Path(found.file_name or report_id))
        return found


@report.command("verify")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--proof", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Its proof; else FILE.proof.json."
)
@public_key
@as_json
@with_settings
def verify(settings: Settings, file: Path, proof: Path | None, public_key: Path | None, as_json: bool) -> None:
    """Check a report's hash and signature, make it again out of the log, and compare; exit code 1 on any finding."""
    content = file.read_bytes()
    told = _read_proof(proof or file.with_name(file.name + PROOF))
    findings = list(_findings(settings, content, told, public_key))
    if not findings:
        again = run(_again(settings, told))
        if again != content:
            place = next((i for i, (a, b) in enumerate(zip(content, again, strict=False)) if a != b), len(again))
            findings.append(
                f"made again it differs from byte {place} on; it has {len(again)} bytes, not {len(content)}"
            )
    if as_json:
        show_json({"verified": not findings, "sha256": sha256(content).hexdigest(), "findings": findings})
    else:
        for finding in findings:
            click.echo(finding)
        equal = "verified: hash and signature hold, and made again from the log it is equal, byte for byte"
        click.echo("not verified" if findings else equal)
    sys.exit(PROBLEMS_FOUND if findings else 0)


def _read_proof(path: Path) -> Proof:
    import msgspec

    from domain.reports.report import Proof

    try:
        return msgspec.json.decode(path.read_bytes(), type=Proof)
    except FileNotFoundError:
        raise Invalid(f"there is no proof {path}; name one by --proof", code="no_proof") from None
    except msgspec.DecodeError as error:
        raise Invalid(f"{path} is no proof of a report: {error}", code="bad_proof") from None


def _findings(settings: Settings, content: bytes, proof: Proof, public_key: Path | None) -> list[str]:
    """What is wrong with a file without making it again."""
    import base64
    import binascii

    from adapters.files.checkpoint_key import checker, read_public_key
    from app.evidence import check

    found = []
    if (digest := sha256(content).hexdigest()) != proof.sha256:
        found.append(f"the file has the hash {digest}, and its proof is of {proof.sha256}")
    holds = checker(read_public_key(public_key.read_bytes())) if public_key else check(settings)
    try:
        signature = base64.b64decode(proof.signature, validate=True)
    except binascii.Error:
        signature = b""
    if not holds(signature, proof.message):
        found.append("the signature is not of this key over this hash and recipe")
    return found


async def _again(settings: Settings, proof: Proof) -> bytes:
    async with _reports(settings) as reports:
        return await reports.again(proof.recipe)


@asynccontextmanager
async def _reports(settings: Settings) -> AsyncIterator[Reports]:
    from app.instance.instance import reachable
    from app.read_side.services import read_services

    async with reachable(settings) as complete, read_services(complete) as (side, _):
        yield side.reports


async def _write(reports: Reports, made: StoredReport, out: Path) -> None:
    content = bytearray()
    while piece := await reports.piece(made, len(content), PIECE):
        content += piece
    _write_files(out, bytes(content), made.proof)


def _write_files(out: Path, content: bytes, proof: Proof | None) -> None:
    import msgspec

    out.write_bytes(content)
    if proof is not None:
        text = msgspec.json.format(msgspec.json.encode(proof), indent=1)
        out.with_name(out.name + PROOF).write_bytes(text + b"\n")


def _row(made: StoredReport) -> dict[str, Any]:
    import msgspec

    row: dict[str, Any] = msgspec.to_builtins(made)
    return {**row, "kind": made.request.kind, "format": made.request.format or "pdf"}


def _show(made: StoredReport, *, as_json: bool) -> None:
    if as_json:
        show_json(_row(made))
    elif not made.error:
        click.echo(f"{made.report_id}: {made.size:,} bytes, {made.media_type}, sha256 {made.sha256}")
