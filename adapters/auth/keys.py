"""Keys that sign and verify tokens: an Ed25519 pair kept in the data folder, or public keys from a JWKS file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import JWKDict

from adapters.key_files import kept_pair
from domain.errors import Invalid

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
    """The key pair kept in the folder, made at first use, readable by its owner alone."""
    private = kept_pair(folder / KEY_FILE)
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return SigningKey(hashlib.sha256(raw).hexdigest()[:16], private)


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
