"""The command `analytics bench`."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.frame import run, with_settings
from app.settings import Settings

GROUPS = (
    *("json", "log", "one", "foreign", "all", "batches", "rebuild", "verify", "past", "commands", "kpis", "export"),
    "alerts",
    "instance",
    "live",
    *("kafka-log", "kafka-one"),
)
KINDS = ("embedded", "kafka", "all")


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(GROUPS), metavar="[GROUP]…")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures to this file.")
@click.option("--log", "kind", type=click.Choice(KINDS), default="all", show_default=True, help="Whose figures.")
@click.option("--kafka", default="", metavar="HOST:PORT", help="Broker to measure; else the one of the settings.")
@click.option("--quick", is_flag=True, help="Fewer events: within a minute, less exact.")
@click.option("--events", type=click.IntRange(1_000), help="Events for one projection; all other sizes in proportion.")
@with_settings
def bench(
    settings: Settings,
    groups: tuple[str, ...],
    file: Path | None,
    kind: str,
    kafka: str,
    quick: bool,
    events: int | None,
) -> None:
    """Measure rates, latencies and memory, each beside a floor that is measured in the same run.

    It works on servers of its own in a temporary folder. Groups: json, log, one, foreign, all, batches, rebuild,
    verify, past, commands, kpis, export, alerts, instance, live, kafka-log, kafka-one; without any, all that can be
    measured. The figures are explained in docs/how-to/measure.md.
    """
    from app.bench.figures import table, write_json
    from app.bench.main import EMBEDDED, KAFKA, main
    from app.bench.scale import SCALES
    from domain.errors import Invalid

    scale = SCALES["quick" if quick else "full"]
    broker = "" if kind == "embedded" else kafka or settings.kafka_bootstrap_servers
    chosen = set(groups) or {*(EMBEDDED if kind != "kafka" else ()), *(KAFKA if broker else ())}
    if not broker and (kind == "kafka" or chosen & set(KAFKA)):
        raise Invalid(
            "there is no Kafka to measure",
            code="no_kafka",
            suggested_actions=("Name a broker with --kafka or ANALYTICS_KAFKA_BOOTSTRAP_SERVERS.",),
        )
    figures = run(main(scale.of(events) if events else scale, kafka=broker, only=chosen, say=_say))
    click.echo(table(figures))
    if file is not None:
        write_json(file, figures)
    if not broker:
        click.echo("Kafka was not measured: no broker is named (--kafka HOST:PORT).")


def _say(line: str) -> None:
    click.echo(line, err=True)
