"""Made-up measurements of services over the last day: latencies with a heavy tail, load, and operations."""

from __future__ import annotations

from collections.abc import Iterator
from math import sin, tau
from random import Random

from analytics.performance_data_pb2 import PerformanceData, SystemMetric

from app.demo.companies import DAY, MINUTE, UNTIL, Company, origin, seeded
from eventlog.publish import builders
from eventlog.publish.event import Event

TYPICAL_MS = {"gateway": 12.0, "orders": 25.0, "matching": 4.0, "risk": 40.0, "quotes": 7.0}
OPERATIONS = ("place_order", "cancel_order", "get_quote", "get_positions")
SAMPLES = 3  # latencies a minute
FAILS = 0.01


def latency(service: str, chance: Random, busy: float) -> float:
    """Milliseconds: log-normal, and one in fifty many times as long."""
    typical = TYPICAL_MS[service] * (1 + busy)
    return round(typical * chance.lognormvariate(0, 0.4) * (10 if chance.random() < 0.02 else 1), 3)


def busyness(at: int) -> float:
    """Load over the day, 0 to 1: least at 3:00 UTC, most at 15:00."""
    return (1 + sin(tau * (at % DAY / DAY - 0.375))) / 2


def service_events(company: Company) -> Iterator[Event]:
    """A batch of measurements and one of operations for each service and minute."""
    for service in company.services:
        chance = seeded("service", company.company_id, service)
        for at in range(UNTIL - DAY, UNTIL, MINUTE):
            name = f"service/{company.company_id}/{service}/{at}"
            yield builders.system_metric_batch(
                company_id=company.company_id, items=_metrics(service, at, chance), **origin(name, at)
            )
            yield builders.performance_data_batch(
                company_id=company.company_id, items=[operation(service, chance)], **origin(f"{name}/operation", at)
            )


def _metrics(service: str, at: int, chance: Random) -> list[SystemMetric]:
    busy = busyness(at)
    cpu = round(15 + 60 * busy + 5 * chance.random(), 1)
    return [
        *(
            SystemMetric(service=service, metric="latency_ms", value=latency(service, chance, busy), unit="ms")
            for _ in range(SAMPLES)
        ),
        SystemMetric(service=service, metric="cpu_pct", value=cpu, unit="%"),
    ]


def operation(service: str, chance: Random) -> PerformanceData:
    """One operation; one in a hundred fails."""
    return PerformanceData(
        service=service,
        operation=chance.choice(OPERATIONS),
        duration_ms=latency(service, chance, 0.5),
        outcome=PerformanceData.ERROR if chance.random() < FAILS else PerformanceData.OK,
    )
