"""The Ed25519 pair that signs checkpoints, kept in the data folder; its public half is what auditors hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.files.key_pair import load_or_create
from domain.errors import Invalid
from eventlog.seals.checkpoints import Check

KEY_FILE = "checkpoint-signing.pem"
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
PEM = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The private key kept in the folder, made at first use. Raises as `load_or_create` does."""
    return load_or_create(folder / KEY_FILE)


def key_id(key: Ed25519PublicKey) -> str:
    """Names a key: the first half of the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(key.public_bytes(*RAW)).hexdigest()[:32]


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The public key as PEM."""
    return key.public_bytes(*PEM)


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """A public key from PEM; raises Invalid where it is none."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise Invalid(f"this is no public key in PEM: {error}", code="bad_key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("this is no Ed25519 key", code="bad_key")
    return key


def checker(key: Ed25519PublicKey) -> Check:
    """Says whether a signature over a message is this key's."""

    def check(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return check
