"""Commands of the contract.

python -m contract generate           make the stubs and the reference page anew
python -m contract check              say what the present contract breaks for callers of the released one
python -m contract release            accept the present contract as the released one, when it breaks nothing
python -m contract release --breaking the same, though it breaks something: a new major version
"""

from __future__ import annotations

import argparse
import sys

from contract import stubs
from contract.breaking import breaking_changes
from contract.reference import page
from contract.surface import read, surface, written

RELEASED = stubs.SOURCES / "released.txt"
REFERENCE = stubs.SOURCES.parent / "docs" / "reference" / "protobuf.md"


def main(arguments: list[str]) -> int:
    """Run one command; 0 when all is well, 1 when the contract breaks callers."""
    parser = argparse.ArgumentParser(prog="python -m contract", description="The published protobuf contract.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="make the stubs and the reference page anew")
    commands.add_parser("check", help="say what the present contract breaks for callers of the released one")
    release = commands.add_parser("release", help="accept the present contract as the released one")
    release.add_argument("--breaking", action="store_true", help="accept it although it breaks something")
    chosen = parser.parse_args(arguments)
    match chosen.command:
        case "generate":
            return _generate()
        case "check":
            return _check()
        case _:
            return _release(accept_breaking=chosen.breaking)


def _generate() -> int:
    for name in stubs.regenerate():
        print(f"changed: proto/{name}")
    text = page(stubs.describe(source_info=True))
    if not REFERENCE.exists() or REFERENCE.read_text(encoding="utf-8") != text:
        REFERENCE.parent.mkdir(parents=True, exist_ok=True)
        REFERENCE.write_text(text, encoding="utf-8")
        print("changed: docs/reference/protobuf.md")
    return 0


def _check() -> int:
    changes = breaking_changes(read(RELEASED.read_text(encoding="utf-8")), surface(stubs.describe()))
    for change in changes:
        print(change, file=sys.stderr)
    return 1 if changes else 0


def _release(*, accept_breaking: bool) -> int:
    if RELEASED.exists() and _check() and not accept_breaking:
        print("not released: the changes above break callers (--breaking accepts them)", file=sys.stderr)
        return 1
    RELEASED.write_text(written(surface(stubs.describe())), encoding="utf-8")
    print("released: proto/released.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
