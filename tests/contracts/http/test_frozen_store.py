"""A database that is frozen, neither up nor down: whoever looks after the machine is answered all the same."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
import psutil
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from tests.support.instance import Instance, run_command

PATIENCE = 6.0  # seconds; it answers within 2, on a machine that has nothing else to do


@contextmanager
def frozen(instance: Instance) -> Iterator[None]:
    """Every process of the instance's PostgreSQL is stopped."""
    postmaster = psutil.Process(int((instance.folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def test_with_a_frozen_store_the_machine_still_says_how_it_is(instance: Instance) -> None:
    """Health, projections and metrics over HTTP, health over gRPC, the doctor: what was known, and who is silent."""
    token = instance.token("engineer", "*")
    metadata = (("authorization", f"Bearer {token}"),)
    with (
        httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as client,
        grpc.insecure_channel(instance.addresses["grpc"]) as channel,
    ):
        read, command = (f"{instance.addresses[api]}" for api in ("read_api", "command_api"))
        before = client.get(f"{read}/api/v1/projections").json()["projections"]
        assert client.get(f"{read}/api/v1/health").json()["ready"]
        with frozen(instance):
            for _ in range(2):  # a first call that hangs holds up no later one
                health = client.get(f"{read}/api/v1/health")
                assert (health.status_code, health.json()["ready"]) == (503, False)
                components = {each["name"]: each for each in health.json()["components"]}
                assert components["store"]["status"] == "down"
                assert "not answer" in components["store"]["detail"]
            assert client.get(f"{command}/api/v1/health").json()["ready"] is False
            projections = client.get(f"{read}/api/v1/projections").json()["projections"]
            assert {entry["name"] for entry in projections} == {entry["name"] for entry in before}
            assert {entry["failure"]["category"] for entry in projections} == {"unavailable"}
            assert "analytics_store_answers 0" in client.get(f"{read}/metrics").text
            call = AnalyticsServiceStub(channel).HealthCheck
            answer = call(operations.HealthCheckRequest(), metadata=metadata, timeout=PATIENCE)
            assert not answer.ready
            doctor = run_command("doctor", "--json", "--data", str(instance.folder))
            states = {row["check"]: row["state"] for row in json.loads(doctor.stdout)}
            assert (doctor.exit_code, states["store"], states["instance"]) == (1, "fault", "ok")
        for _ in range(100):
            if client.get(f"{read}/api/v1/health").json()["ready"]:
                break
        assert client.get(f"{read}/api/v1/health").json()["ready"]
        assert "analytics_store_answers 1" in client.get(f"{read}/metrics").text
