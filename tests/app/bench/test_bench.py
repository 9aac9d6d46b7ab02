"""The bench: every figure is measured, and shown as scripts read it. No speed is asserted: machines differ."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest

from app.bench.events import MIX, envelopes, record
from app.bench.figures import Figure, number, quantile, table, write_json
from app.bench.main import EMBEDDED, KAFKA, main
from app.bench.scale import FULL, Scale
from app.cli.bench import GROUPS
from domain.events.validation import judge
from tests.support.instance import run_command
from tests.support.kafka_broker import KafkaBroker

TINY = Scale(one=2_000, mixed=1_000, batches=40, foreign=500, lines=200, reads=20, rate=200, seconds=0.5)

RATES = {"log_append", "log_read", "projection_one", "projection_one_foreign", "projections_all", "points_one"}
RATES |= {
    "log_seal",
    "log_verify",
    "rebuild_rate",
    "points_all",
    "ingest",
    "http_post",
    "grpc_publish",
    "grpc_publish_tokens",
    "latency_rate",
    "http_read_rate",
    "commands_rate",
    "audited_read_rate",
    "way_rate",
}
TIMES = {"json_mapping", "latency_p50", "latency_p99", "http_read_p50", "http_read_p99", "up_again", "command_start"}
TIMES |= {
    "command_p50",
    "command_p99",
    "rebuild_live_lag",
    "as_of_whole",
    "as_of_random",
    "kpis_first",
    "kpis_p50",
    "kpis_p99",
    "kpis_moving_p50",
    "kpis_moving_p99",
    "trading_metrics_first",
    "trading_metrics_p50",
    "trading_metrics_p99",
    "explain",
}
TIMES |= {"way_one_p50", "way_totals_p50", "way_kept_p50"}
TIMES |= {"own_write_p50", "own_write_p99", "audited_read_p50"}
MEMORY = {"memory_read_api", "memory_command_api", "memory_grpc", "memory_projector", "memory_sealer", "memory_indexer"}
MEMORY |= {"memory_relay", "memory_scheduler", "memory_alerter"}
ENGINE = ("log", "one", "foreign", "batches", "verify")


def names_and_sanity(figures: list[Figure]) -> set[str]:
    """Names of the figures, each of which has a positive value beside a positive floor."""
    assert all(f.value > 0 and f.floor > 0 and math.isfinite(f.ratio) for f in figures), figures
    assert len({f.name for f in figures}) == len(figures)
    return {f.name for f in figures}


@pytest.mark.ci
def test_figures_of_the_engine_are_measured_beside_a_floor() -> None:
    """A tiny run of the groups that need no whole instance; all groups are run by `make check`."""
    said: list[str] = []
    figures = asyncio.run(main(TINY, kafka="", only=ENGINE, say=said.append))
    assert RATES >= names_and_sanity(figures) >= {"log_append", "log_verify", "projection_one"}
    assert said == [f"measuring: {name}" for name in ENGINE]


@pytest.mark.check
def test_every_figure_is_measured_beside_a_floor() -> None:
    """A tiny run of all groups gives every figure once.

    It starts whole instances three times and takes most of a minute, and nothing of the product rests on it.
    """
    said: list[str] = []
    figures = asyncio.run(main(TINY, kafka="", only=(), say=said.append))
    assert names_and_sanity(figures) == RATES | TIMES | MEMORY
    assert said == [f"measuring: {name}" for name in EMBEDDED]


@pytest.mark.ci
@pytest.mark.kafka
def test_kafka_figures_are_measured_on_topics_of_their_own(kafka: KafkaBroker) -> None:
    """A tiny run on a broker gives the figures of Kafka."""
    figures = asyncio.run(main(TINY, kafka=kafka.bootstrap, only=KAFKA, say=lambda _: None))
    assert names_and_sanity(figures) == {"kafka_append", "kafka_read", "projection_one_kafka"}


@pytest.mark.ci  # it measures
def test_the_command_writes_what_scripts_read(tmp_path: Path) -> None:
    """`analytics bench --json FILE` writes value, unit, floor and ratio by name, and prints a table."""
    file = tmp_path / "figures.json"
    result = run_command("bench", "log", "--log", "embedded", "--events", "1000", "--json", str(file))
    assert result.exit_code == 0, result.output
    found = json.loads(file.read_text())
    assert {name: set(f) for name, f in found.items()} == {
        name: {"value", "unit", "floor", "ratio"} for name in ("log_append", "log_read")
    }
    assert all(math.isclose(f["ratio"], f["value"] / f["floor"], rel_tol=1e-3) for f in found.values())
    assert [line.split()[0] for line in result.stdout.splitlines()[:3]] == ["figure", "log_append", "log_read"]


def test_kafka_figures_need_a_broker() -> None:
    """Asking for them without one is an error that says what to do."""
    result = run_command("bench", "kafka-log")
    assert result.exit_code == 1
    assert "--kafka" in result.output


def test_every_group_can_be_named() -> None:
    """The command line knows the groups that there are."""
    assert set(GROUPS) == set(EMBEDDED) | set(KAFKA)


def test_made_up_events_are_good_and_of_every_type() -> None:
    """Admission would take each of them; the same numbers give the same bytes."""
    for facts in (1, 50):
        made = list(envelopes(1_000, facts=facts))
        assert {e.message_type.removesuffix("_batch") for e in made} == set(MIX)
        assert [judge(e.SerializeToString(), record(e).topic) for e in made] == [None] * len(made)
        assert [e.SerializeToString() for e in envelopes(1_000, facts=facts)] == [e.SerializeToString() for e in made]


def test_figures_are_shown_beside_their_floor(tmp_path: Path) -> None:
    """The table shows the ratio; a figure without a floor has none, in JSON null."""
    figures = [
        Figure("rate", 1_234.5, "events/s", 2_469, "of something"),
        Figure("time", 0.25, "ms", 0, "without floor"),
    ]
    assert table(figures).splitlines()[1].split()[:5] == ["rate", "1,234", "events/s", "2,469", "0.50"]
    write_json(tmp_path / "f.json", figures)
    assert json.loads((tmp_path / "f.json").read_text())["time"]["ratio"] is None
    assert number(0.012345) == "0.0123"


def test_quantiles_are_values_that_were_measured() -> None:
    """The smallest value that so many do not exceed."""
    assert [quantile([5, 1, 4, 2, 3], share) for share in (0, 0.5, 0.99, 1)] == [1, 3, 5, 5]


def test_a_scale_keeps_its_proportions() -> None:
    """Sizes follow the one that is given; rate and duration stay."""
    half = FULL.of(FULL.one // 2)
    assert (half.mixed, half.lines, half.rate, half.seconds) == (FULL.mixed // 2, FULL.lines // 2, 10_000, 20.0)
