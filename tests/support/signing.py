"""A key that signs checkpoints and snapshots in tests."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files.checkpoint_key import checker
from adapters.postgres.read_models.scratch import PostgresScratch
from adapters.postgres.read_models.snapshots import PostgresSnapshots

KEY = Ed25519PrivateKey.generate()
HOLDS = checker(KEY.public_key())


def snapshots(url: str) -> PostgresSnapshots:
    """Snapshots that this key signs."""
    return PostgresSnapshots(url, KEY.sign, HOLDS)


def scratch(url: str) -> PostgresScratch:
    """Scratch tables that go on from such snapshots."""
    return PostgresScratch(url, HOLDS)
