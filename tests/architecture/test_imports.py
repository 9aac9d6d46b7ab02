"""Who may import what, beyond what import-linter checks in `make imports`; and nothing happens at import."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.internal import api_implementation

from tests.architecture.sources import PACKAGES, ROOT, files, imported, modules, shipped

HEAVY = (
    "polars",
    "pyarrow",
    "ptars",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "sklearn",
    "sqlalchemy",
    "alembic",
    "eventsourcing",
    "xhtml2pdf",
    "grpc_tools",
)
# path → why it may touch the environment outside of app/
ENVIRONMENT_ELSEWHERE = {"eventlog/columns.py": "sets what Polars reads when it is imported"}
# statistics compute on arrays: whoever answers with them imports them then, and nothing heavier than numpy
ON_ARRAYS = (
    "domain.metrics.acquisition",
    "domain.metrics.engagement",
    "domain.metrics.formulas",
    "domain.metrics.indicators",
    "domain.metrics.trading",
)
# which the processes that write reports and exports load, and no others
DRAWING = ("read_api.reports.pdf", "read_api.export.columns", "read_api.export.forms")
# Imports these modules and every module of these packages, then tells what is loaded and what was started.
PROBE = """
import importlib, json, os, pkgutil, sys, threading
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
        if not module.name.startswith(tuple(os.environ["LEFT_OUT"].split())):
            importlib.import_module(module.name)
sockets = [fd for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")
           and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")] if os.path.isdir("/proc/self/fd") else []
print(json.dumps({"loaded": sorted({name.split(".")[0] for name in sys.modules}),
                  "threads": [t.name for t in threading.enumerate()], "sockets": len(sockets)}))
"""


def test_nobody_imports_a_package_called_proto() -> None:
    """The name belongs to another library; stubs are imported as analytics, common, trading and services."""
    assert [m.path for m in modules() if any(name.split(".")[0] == "proto" for name in imported(m.tree))] == []


def test_only_the_composition_root_reads_the_environment() -> None:
    """Settings are read in app/ and handed on as values."""
    reading = [
        f"{module.path}: {ast.unparse(node)}"
        for module in shipped()
        if module.top != "app" and module.path not in ENVIRONMENT_ELSEWHERE
        for node in ast.walk(module.tree)
        if _reads_environment(node)
    ]
    assert reading == []


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) in ("os.environ", "os.getenv", "os.environb")
    return isinstance(node, ast.ImportFrom) and node.module == "os" and any(a.name == "environ" for a in node.names)


@pytest.mark.parametrize(
    "parts",
    [["domain"], ["command_api"], ["read_api", "app.process", "adapters.postgres.read_models.projection_store"]],
)
def test_api_processes_stay_light(parts: list[str]) -> None:
    """Importing what API processes are made of loads no data frame library and opens nothing."""
    told = probed(parts, left_out=(*ON_ARRAYS, *DRAWING))
    assert sorted(set(told["loaded"]) & set(HEAVY)) == []
    assert told["threads"] == ["MainThread"]
    assert told["sockets"] == 0


def test_the_grpc_process_loads_no_web_framework() -> None:
    """It needs none, and it would be a fifth of its memory."""
    loaded = set(
        probed(["app.serving.grpc_server", "command_api.grpc_publish", "read_api.grpc", "read_api.services"])["loaded"]
    )
    assert loaded & {"litestar", *HEAVY} <= {"grpc_tools"}  # grpc looks for its own tools, where they are installed


def test_statistics_load_nothing_heavier_than_numpy() -> None:
    """Not SciPy, not Pandas, and TA-Lib only when an indicator is computed."""
    loaded = set(probed(ON_ARRAYS)["loaded"])
    assert loaded & {*HEAVY, "scipy", "pandas", "talib", "statsmodels", "sklearn"} == {"numpy"}


def test_decoding_loads_no_pandas() -> None:
    """Arrow looks for it where it is handed a list, and loading it takes a second and 60 MB of each projector."""
    work = "from eventlog.columns import array_of, decode_envelopes as d; d(array_of([b'', b'\\xff']))"
    code = f"{work}; import sys; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "pyarrow" in told.stdout.split()
    assert "pandas" not in told.stdout.split()


def probed(parts: Sequence[str], left_out: Sequence[str] = ()) -> dict[str, Any]:
    """What importing these parts loads and starts in a new process."""
    environment = {**os.environ, "LEFT_OUT": " ".join(left_out) or "-"}
    command = [sys.executable, "-c", PROBE, *parts]
    process = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert process.returncode == 0, process.stderr
    told: dict[str, Any] = json.loads(process.stdout)
    return told


def test_protobuf_runs_on_upb() -> None:
    """The pure-Python implementation is a hundred times slower, and would only show as a slow service."""
    assert api_implementation.Type() == "upb"


def test_the_import_rule_covers_every_package() -> None:
    """Each package with code is one of import-linter's roots, and the rule of the layers names it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    there = {path.split("/")[0] for path in files() if path.endswith("/__init__.py") and "/" in path}
    code = there - {"tests", "proto", "migrations", "client"}  # the client is a distribution of its own, see below
    assert set(config["root_packages"]) == code
    layers = next(contract["layers"] for contract in config["contracts"] if contract["type"] == "layers")
    assert {name.strip() for layer in layers for name in layer.split("|")} == code


def test_the_distribution_holds_every_package() -> None:
    """What is in the tree is also in the wheel, stubs included."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    stubs = {
        f"proto/{path.split('/')[1]}" for path in files() if path.startswith("proto/") and path.endswith("_pb2.py")
    }
    assert set(config["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(PACKAGES) | stubs
    assert set(PACKAGES) < set(config["mypy"]["files"])


def test_the_client_and_the_service_know_nothing_of_each_other() -> None:
    """They share the stubs alone, so that whoever asks the service installs none of it."""
    of_client = {name.split(".")[0] for module in modules() if module.top == "client" for name in imported(module.tree)}
    assert of_client & set(PACKAGES) == set()
    assert {
        module.path for module in shipped() if any("analytics_client" in name for name in imported(module.tree))
    } == set()
