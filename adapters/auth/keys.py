"""Keys that sign and verify tokens: an Ed25519 pair kept in the data folder, or public keys from a JWKS file."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import JWKDict

from domain.errors import Defect, Invalid

ALGORITHMS = ("EdDSA", "ES256", "RS256")
KEY_FILE = "token-signing.pem"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key of this instance and the name (`kid`) that its tokens carry."""

    kid: str
    private: Ed25519PrivateKey

    def public(self) -> Mapping[str, jwt.PyJWK]:
        """The allow-list of one key that verifies what this key signed."""
        text = jwt.algorithms.OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {self.kid: jwt.PyJWK({**text, "kid": self.kid, "alg": "EdDSA"})}


def signing_key(folder: Path) -> SigningKey:
    """The key pair kept in the folder, made at first use, readable by its owner alone.

    Two processes that make it at once end up with the same one: a link never replaces a file.
    """
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _create(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise Defect(f"{path} is no Ed25519 key")
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return SigningKey(hashlib.sha256(raw).hexdigest()[:16], private)


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first, and its key is as good
    finally:
        os.unlink(draft)


def keys_of_jwks(path: Path) -> Mapping[str, jwt.PyJWK]:
    """Public keys by `kid` out of a JWKS file. Raises Invalid when it has none that tokens may use."""
    try:
        entries: list[JWKDict] = json.loads(path.read_text())["keys"]
        keys = {entry["kid"]: jwt.PyJWK(entry) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
        raise Invalid(f"{path} is no JWKS file with a kid for each key: {error}", code="bad_setting") from None
    allowed = {kid: key for kid, key in keys.items() if key.algorithm_name in ALGORITHMS}
    if not allowed:
        raise Invalid(f"{path} has no key of the algorithms {', '.join(ALGORITHMS)}", code="bad_setting")
    return allowed
