"""Make the Python stubs of the proto files, beside their sources or in another folder.

Messages get the compiler's own `.pyi`; the service gets `_pb2_grpc.py` and, from mypy-protobuf, a typed `.pyi` that
knows both the sync and the asyncio forms of each RPC.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

SOURCES = Path(__file__).resolve().parent.parent
PACKAGES = ("common", "trading", "analytics", "services")
STUB_SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def proto_files() -> list[str]:
    """Names of all contract files, relative to `proto/`, sorted."""
    return sorted(
        str(path.relative_to(SOURCES)) for package in PACKAGES for path in (SOURCES / package).glob("*.proto")
    )


def stubs_in(folder: Path) -> dict[str, bytes]:
    """Generated files under a folder: relative name → content."""
    found = (path for package in PACKAGES for path in (folder / package).glob("*_pb2*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name.endswith(STUB_SUFFIXES)}


def compile_into(target: Path) -> None:
    """Write the stubs of every contract file under `target`; raises RuntimeError with the compiler's exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        _protoc(f"--python_out={scratch}", f"--pyi_out={scratch}", *proto_files())
        with_service = [name for name in proto_files() if _declares_service(name)]
        _protoc(f"--grpc_python_out={scratch}", f"--mypy_grpc_out=quiet:{scratch}", *with_service)
        for name, content in stubs_in(Path(scratch)).items():
            _write(target / name, content)


def regenerate() -> list[str]:
    """Make the stubs beside their sources anew, drop those whose source is gone; returns the names that changed."""
    before = stubs_in(SOURCES)
    with tempfile.TemporaryDirectory() as scratch:
        compile_into(Path(scratch))
        after = stubs_in(Path(scratch))
    for name in before.keys() - after.keys():
        (SOURCES / name).unlink()
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    for name in changed:
        if name in after:
            _write(SOURCES / name, after[name])
    return changed


def describe(*, source_info: bool = False) -> FileDescriptorSet:
    """The contract files as descriptors, with their comments when `source_info`."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "contract.binpb"
        options = ["--include_source_info"] if source_info else []
        _protoc(f"--descriptor_set_out={path}", *options, *proto_files())
        return FileDescriptorSet.FromString(path.read_bytes())


def _protoc(*arguments: str) -> None:
    well_known = resources.files("grpc_tools") / "_proto"
    plugins = [f"--plugin={path}" for path in _plugins()]
    code = protoc.main(["protoc", f"--proto_path={SOURCES}", f"--proto_path={well_known}", *plugins, *arguments])
    if code != 0:
        raise RuntimeError(f"the protocol compiler gave up with exit code {code}; its message is above")


def _plugins() -> list[str]:
    """The typed-stub plugin of this interpreter's environment: PATH need not name that environment."""
    name = "protoc-gen-mypy_grpc"
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return [found] if found else []


def _declares_service(name: str) -> bool:
    lines = (SOURCES / name).read_text(encoding="utf-8").splitlines()
    return any(line.startswith("service ") for line in lines)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
