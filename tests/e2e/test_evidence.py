"""Evidence as an auditor meets it: the sealer of a running instance, its commands, a proof checked elsewhere."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from tests.support.instance import Instance, run_command, trade

pytestmark = pytest.mark.slow


def sealed(instance: Instance) -> dict[str, Any]:
    """The verdict, once nothing is left unsealed."""
    deadline = time.monotonic() + 20
    while True:
        result = instance.command("log", "verify", "--json")
        verdict: dict[str, Any] = json.loads(result.stdout)
        if result.exit_code or not verdict["unsealed"]:
            return verdict
        assert time.monotonic() < deadline, verdict
        time.sleep(0.1)


def assert_verified(verdict: dict[str, Any], at_least: int) -> None:
    """So many records, and what the trail has of the commands that were run."""
    assert verdict["verified"]
    assert verdict["records"] >= at_least


@pytest.mark.ci
def test_an_auditor_verifies_proves_and_finds_a_forged_record(own_instance: Instance, tmp_path: Path) -> None:
    """The sealer is killed in between and goes on where it stood.

    Its parts are tests of their own (tests/eventlog/seals); here they are typed one after the other.
    """
    instance = own_instance.start(ANALYTICS_SEAL_SECONDS="0.2")
    instance.take([trade("acme", n) for n in range(50)])
    assert sealed(instance)["verified"]
    [sealer] = [child for child in instance.children() if "sealer" in child.cmdline()]
    sealer.kill()
    instance.take([trade("acme", n) for n in range(50, 90)])
    assert_verified(sealed(instance), 90)
    assert instance.command("log", "verify", "--since-last").exit_code == 0

    disk_is_away(instance)
    snapshot_is_forged(instance)
    line_is_torn(instance)

    proof, key = tmp_path / "proof.json", tmp_path / "key.pem"
    prove_newest(instance, proof)
    key.write_text(instance.command("log", "key").stdout)
    checking = ("log", "check-proof", str(proof), "--public-key", str(key))
    assert run_command(*checking).exit_code == 0

    with psycopg.connect(instance.addresses["database"], autocommit=True) as connection:
        connection.execute(
            "UPDATE log.runs SET records = set_byte(records, 60, get_byte(records, 60) # 1)"
            " WHERE (partition_id, last_offset) = (SELECT partition_id, last_offset FROM log.runs LIMIT 1)"
        )
    forged = instance.command("log", "verify")
    assert forged.exit_code == 1
    assert "content_differs" in forged.stdout
    assert not verify_by_grpc(instance).verified
    assert run_command(*checking).exit_code == 0  # the proof stands without the log
    proof.write_text(proof.read_text().replace('"offset": ', '"offset": 1'))
    refused = run_command(*checking)
    assert refused.exit_code == 1
    assert "does not hold" in refused.stderr


def prove_newest(instance: Instance, proof: Path) -> None:
    """Write the proof of the newest trade."""
    event = json.loads(instance.command("log", "tail", "-n", "1", "--topic", "trading-events").stdout.splitlines()[0])
    while (result := instance.command("log", "prove", event["event_id"], "--out", str(proof))).exit_code:
        assert "checkpoint covers" in result.stderr, result.output  # sealed, and signed a moment later
        time.sleep(0.1)


def disk_is_away(instance: Instance) -> None:
    """Checkpoints cannot be written for a while: health says so, seals go on, and so does signing afterwards."""
    [file] = (instance.folder / "evidence" / "checkpoints").glob("*.ndjson")
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    instance.take([trade("acme", n) for n in range(90, 95)])
    with instance.client("admin", "acme") as client:
        health(client, "degraded")
        file.rmdir()
        file.with_suffix(".away").rename(file)
        health(client, "ok")
    verdict = sealed(instance)
    assert verdict["verified"], verdict


def health(client: httpx.Client, status: str) -> None:
    """Return once health says that of the sealer."""
    deadline = time.monotonic() + 60
    while True:
        components = {c["name"]: c for c in client.get("/api/v1/health").json()["components"]}
        if components["sealer"]["status"] == status:
            return
        assert time.monotonic() < deadline, components
        time.sleep(0.1)


def snapshot_is_forged(instance: Instance) -> None:
    """Somebody changes a row of one: verifying says so until it is put back."""
    assert instance.command("projections", "snapshot", "trading").exit_code == 0
    [number] = [s["number"] for s in json.loads(instance.command("projections", "snapshots", "--json").stdout)]
    with psycopg.connect(instance.addresses["database"], autocommit=True) as connection:
        [[copy]] = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE tablename LIKE %s", (f"trade\\_v%\\_s{number}",)
        ).fetchall()
        for change, code in (("+ 1", 1), ("- 1", 0)):
            connection.execute(f"UPDATE read_models.{copy} SET pnl = pnl {change}".encode())
            result = instance.command("log", "verify", "--json")
            assert result.exit_code == code, result.output
            assert [f["code"] for f in json.loads(result.stdout)["findings"]] == ["snapshot_differs"] * code


def line_is_torn(instance: Instance) -> None:
    """A line of checkpoints that was cut off is no fault, and whoever verifies is told, by every door."""
    torn = instance.folder / "evidence" / "checkpoints" / "1970-01.ndjson"
    torn.write_bytes(b'{"number": 1')
    verdict, answer = sealed(instance), verify_by_grpc(instance)
    assert answer.verified
    assert list(answer.notes) == verdict["notes"]
    with instance.client("auditor", "acme") as client:
        over_http = client.get("/api/v1/log/verification", params={"company": "acme"}).json()
    assert (over_http["verified"], over_http["notes"]) == (answer.verified, verdict["notes"])
    assert over_http["records"] >= answer.events
    assert [torn.name in note for note in answer.notes] == [True]
    torn.unlink()


def verify_by_grpc(instance: Instance) -> operations.VerifyLogResponse:
    """What the RPC answers an auditor; a viewer is refused."""
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        viewer = (("authorization", f"Bearer {instance.token('viewer', 'acme')}"),)
        with pytest.raises(grpc.RpcError):
            stub.VerifyLog(operations.VerifyLogRequest(company_id="acme"), metadata=viewer, timeout=60)
        auditor = (("authorization", f"Bearer {instance.token('auditor', 'acme')}"),)
        answer: operations.VerifyLogResponse = stub.VerifyLog(
            operations.VerifyLogRequest(company_id="acme"), metadata=auditor, timeout=60
        )
        return answer
