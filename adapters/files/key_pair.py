"""Key pairs kept as files in the data folder, made when they are first needed."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files import atomic
from domain.errors import Defect


def kept_pair(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file, made at first use, readable by its owner alone.

    Two processes that make it at once end up with the same one. Raises Defect where the file holds anything else,
    Unavailable where it cannot be written.
    """
    if not path.exists():
        atomic.create(path, _new_pem())
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise Defect(f"{path} is no private key in PEM: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Defect(f"{path} is no Ed25519 key")
    return private


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
