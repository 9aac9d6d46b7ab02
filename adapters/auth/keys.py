"""Keys that sign and verify tokens: an Ed25519 pair kept in the data folder, or the public keys of a JWKS.

Only keys of ALGORITHMS that are fit for them count: no symmetric, private or encryption key, no RSA below 2048 bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.types import JWKDict

from adapters.files.key_pair import load_or_create
from domain.errors import Invalid

ALGORITHMS = ("EdDSA", "ES256", "RS256")
KEY_FILE = "token-signing.pem"
LEAST_RSA = 2_048  # bits
MOST_KEYS = 100
LONGEST_KID = 256


class Keys(Protocol):
    """The allow-list of public keys: the `kid` of a token chooses among these, and nothing else does."""

    def get(self, kid: str, /) -> jwt.PyJWK | None:
        """The key of that name. Raises Unavailable while nobody can say which keys count."""
        ...


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
    """The key pair in the folder, made at first use, readable by its owner alone. Raises as `load_or_create` does."""
    private = load_or_create(folder / KEY_FILE)
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return SigningKey(hashlib.sha256(raw).hexdigest()[:16], private)


def read_jwks(text: bytes, source: str) -> Mapping[str, jwt.PyJWK]:
    """Public keys by `kid` out of a JWKS. Raises Invalid where it is none, or has no key that tokens may use."""
    try:
        entries = json.loads(text)["keys"]
        named = [(kid, entry) for entry in entries if _for_signatures(entry) and isinstance(kid := entry["kid"], str)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid(f"{source} is no JWKS with a kid for each key: {error}", code="bad_setting") from None
    if len(entries) > MOST_KEYS or len({kid for kid, _ in named}) < len(named):
        raise Invalid(f"{source} has two keys of one kid, or more than {MOST_KEYS} keys", code="bad_setting")
    keys = {kid: key for kid, entry in named if kid and len(kid) <= LONGEST_KID for key in _usable(entry)}
    if not keys:
        raise Invalid(f"{source} has no key of the algorithms {', '.join(ALGORITHMS)}", code="bad_setting")
    return keys


def _for_signatures(entry: JWKDict) -> bool:
    """Public keys that sign: others may stand beside them, and need no kid."""
    return entry.get("use", "sig") == "sig" and entry.get("kty") != "oct" and "d" not in entry


def _usable(entry: JWKDict) -> Iterator[jwt.PyJWK]:
    """The key, where it is one that its algorithm may be verified with: providers publish keys for others, too."""
    try:
        key = jwt.PyJWK(entry)
    # what PyJWT and the cryptography below it raise for keys that are broken, or of kinds they do not know
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, NotImplementedError):
        return
    if key.algorithm_name in ALGORITHMS and _fits(key.algorithm_name, key.key):
        yield key


def _fits(algorithm: str, key: Any) -> bool:
    match algorithm:
        case "EdDSA":
            return isinstance(key, Ed25519PublicKey)
        case "ES256":
            return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        case _:
            return isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA
