"""Key pairs kept as files in the data folder, made when they are first needed."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files import atomic
from domain.errors import Defect, Invalid


def load_or_create(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file, made at first use, readable by its owner alone.

    Two processes that make it at once end up with the same one. Raises Defect where the file holds anything else,
    Invalid where others can read it, Unavailable where it cannot be written.
    """
    if not path.exists():
        atomic.create(path, _new_pem())
    try:
        private = serialization.load_pem_private_key(secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise Defect(f"{path} is no private key in PEM: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Defect(f"{path} is no Ed25519 key")
    return private


def secret(path: Path, others: int = 0o077) -> bytes:
    """What a file holds that is nobody else's, to read or at least to change.

    Raises Invalid where its mode has one of the bits `others`.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & others:
            raise Invalid(
                f"{path} can be read or changed by others (mode {mode:04o}, at most {0o777 & ~others:04o})",
                code="loose_key",
                suggested_actions=(f"Run `chmod 600 {path}`; where others may have read a secret, make a new one.",),
            )
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}", code="bad_setting") from None


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
