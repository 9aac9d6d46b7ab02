"""Tokens that nobody may come in with: each by what is wrong with it, most of them one step away from a good one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
Sign = Callable[[bytes], bytes]


def b64(data: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumped(value: object) -> bytes:
    """JSON; what is text already stays as it is."""
    return value.encode(errors="surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


@dataclass(frozen=True)
class People:
    """The keys that are known, those of an attacker, and what good tokens say."""

    ed: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    es: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    rs: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    attacker: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    wider: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))

    def jwks(self) -> dict[str, Any]:
        """The public keys, as a provider publishes them."""
        of = {
            "e": (OKPAlgorithm.to_jwk(self.ed.public_key(), as_dict=True), "EdDSA"),
            "p": (ECAlgorithm.to_jwk(self.es.public_key(), as_dict=True), "ES256"),
            "r": (RSAAlgorithm.to_jwk(self.rs.public_key(), as_dict=True), "RS256"),
        }
        return {"keys": [{**jwk, "kid": kid, "alg": alg, "use": "sig"} for kid, (jwk, alg) in of.items()]}

    def claims(self, **members: object) -> dict[str, object]:
        """Good claims, some of them changed; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": "analytics", "aud": "analytics", "sub": "eve", "jti": "1", "iat": now, "nbf": now, "exp": now + 600,
            "company_id": "acme", "roles": ["admin", "service", "engineer"], "tier": "ENTERPRISE",
        }  # fmt: skip
        return {name: value for name, value in (good | members).items() if value is not None}

    def token(self, claims: object = None, sign: Sign | None = None, **header: object) -> str:
        """A token with this header; signed with the known Ed25519 key unless told otherwise. None leaves one out."""
        head = {n: v for n, v in ({"alg": "EdDSA", "typ": "JWT", "kid": "e"} | header).items() if v is not None}
        return self.signed(dumped(head), dumped(self.claims() if claims is None else claims), sign or self.ed.sign)

    @staticmethod
    def signed(head: bytes, payload: bytes, sign: Sign) -> str:
        """A token of these bytes."""
        text = f"{b64(head)}.{b64(payload)}"
        return f"{text}.{b64(sign(text.encode()))}"

    def sign_rs(self, text: bytes) -> bytes:
        """RS256."""
        return self.rs.sign(text, padding.PKCS1v15(), hashes.SHA256())

    def sign_es(self, text: bytes) -> bytes:
        """ES256, r and s side by side."""
        return ECAlgorithm(ECAlgorithm.SHA256, ec.SECP256R1).sign(text, self.es)

    def good(self) -> dict[str, str]:
        """One of each algorithm, which must be taken: else the others would be refused for nothing."""
        return {
            "EdDSA": self.token(),
            "ES256": self.token(None, self.sign_es, alg="ES256", kid="p"),
            "RS256": self.token(None, self.sign_rs, alg="RS256", kid="r"),
        }


def hostile(people: People) -> Mapping[str, str]:
    """All of them, by name."""
    parts = (_algorithms, _secrets, _signatures, _headers, _shapes, _claims, _persons, _repeated)
    return {name: token for part in parts for name, token in part(people)}


def _algorithms(p: People) -> Iterator[tuple[str, str]]:
    for alg in ("none", "None", "NONE", "nOnE", "", None, ["EdDSA"], "EdDSA ", "HS256"):
        yield f"alg {alg!r} without signature", p.token(None, lambda _: b"", alg=alg)
        yield f"alg {alg!r} with the dot cut", p.token(None, lambda _: b"", alg=alg).rstrip(".")
    yield "RS256 under the kid of another algorithm", p.token(None, p.sign_rs, alg="RS256", kid="e")
    yield "EdDSA under the kid of an RSA key", p.token(alg="EdDSA", kid="r")
    yield "ES256 in the header, RSA key", p.token(None, p.sign_rs, alg="ES256", kid="r")
    yield "RS512", p.token(None, lambda t: p.rs.sign(t, padding.PKCS1v15(), hashes.SHA512()), alg="RS512", kid="r")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    yield "PS256", p.token(None, lambda t: p.rs.sign(t, pss, hashes.SHA256()), alg="PS256", kid="r")
    wider = ECAlgorithm(ECAlgorithm.SHA384, ec.SECP384R1)
    yield "ES384 under the kid of a P-256 key", p.token(None, lambda t: wider.sign(t, p.wider), alg="ES384", kid="p")
    yield "ES256 of a P-384 key", p.token(None, lambda t: wider.sign(t, p.wider), alg="ES256", kid="p")


def _secrets(p: People) -> Iterator[tuple[str, str]]:
    """Public keys misused as shared secrets, in every form that they are written in."""
    for kid, key in (("e", p.ed), ("p", p.es), ("r", p.rs)):
        public = key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, SPKI)
        der = public.public_bytes(serialization.Encoding.DER, SPKI)
        jwk = next(dumped(k) for k in p.jwks()["keys"] if k["kid"] == kid)
        for form, secret in (("PEM", pem), ("PEM stripped", pem.strip()), ("DER", der), ("JWK", jwk), ("nothing", b"")):
            yield f"HS256 with {kid} as {form}", p.token(None, _hmac(secret, hashlib.sha256), alg="HS256", kid=kid)
    raw = p.ed.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    yield "HS512 with the raw key", p.token(None, _hmac(raw, hashlib.sha512), alg="HS512")


def _hmac(secret: bytes, digest: Any) -> Sign:
    return lambda text: hmac.new(secret, text, digest).digest()


def _signatures(p: People) -> Iterator[tuple[str, str]]:
    for name, r, s in (("zero", 0, 0), ("r zero", 0, 1), ("s zero", 1, 0), ("the order", P256_ORDER, P256_ORDER)):
        psychic = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        yield f"ES256 signature: {name}", p.token(None, _always(psychic), alg="ES256", kid="p")
    yield "ES256 in DER", p.token(None, lambda t: p.es.sign(t, ec.ECDSA(hashes.SHA256())), alg="ES256", kid="p")
    yield "ES256 cut short", p.token(None, lambda t: p.sign_es(t)[:-1], alg="ES256", kid="p")
    yield "EdDSA all zero", p.token(None, lambda _: bytes(64))
    yield "EdDSA of the attacker", p.token(None, p.attacker.sign)
    yield "RS256 all zero", p.token(None, lambda _: bytes(256), alg="RS256", kid="r")
    yield "RS256 of one", p.token(None, lambda _: bytes(255) + b"\1", alg="RS256", kid="r")
    yield "one bit changed", p.token(None, lambda t: bytes([p.ed.sign(t)[0] ^ 1]) + p.ed.sign(t)[1:])
    head, _, signature = p.token().split(".")
    yield "other claims under the signature", f"{head}.{b64(dumped(p.claims(company_id='beta')))}.{signature}"
    yield "a byte more", p.token(None, lambda t: p.ed.sign(t) + b"\0")


def _always(signature: bytes) -> Sign:
    return lambda _: signature


def _headers(p: People) -> Iterator[tuple[str, str]]:
    jwk = OKPAlgorithm.to_jwk(p.attacker.public_key(), as_dict=True)
    url = "http://127.0.0.1:1/keys"
    brought: tuple[tuple[str, dict[str, Any]], ...] = (
        ("jwk", {"jwk": jwk}), ("jku", {"jku": url}), ("x5u", {"x5u": url}), ("x5c", {"x5c": ["MII="]}),
        ("jwk, no kid", {"jwk": jwk, "kid": None}), ("jku and its kid", {"jku": url, "kid": "mine"}),
    )  # fmt: skip
    for name, header in brought:
        yield f"the attacker's {name}", p.token(None, p.attacker.sign, **header)
    kids: tuple[object, ...] = (
        "../../dev/null", "/dev/null", "e' OR '1'='1", "e\0", "\u0435", "e ", "E", "", "x" * 5_000, 0, ["e"], {}, True,
    )  # fmt: skip
    for kid in kids:
        yield f"kid {kid!r:.30}", p.token(kid=kid)
    yield "no kid", p.token(kid=None)
    words: tuple[tuple[str, Any], ...] = (
        ("crit", ["exp"]), ("crit", []), ("crit", ["b64"]), ("b64", False), ("b64", True), ("zip", "DEF"),
        ("enc", "A128GCM"), ("cty", "JWT"), ("typ", "JWE"), ("typ", ["JWT"]), ("typ", ""),
    )  # fmt: skip
    for name, value in words:
        yield f"{name} {value}", p.token(**{name: value})
    payload = dumped(p.claims())
    for name, head in (
        ("alg twice", '{"alg":"none","alg":"EdDSA","kid":"e"}'), ("kid twice", '{"alg":"EdDSA","kid":"x","kid":"e"}'),
        ("no object", '["EdDSA"]'), ("a byte order mark", '\ufeff{"alg":"EdDSA","kid":"e"}'), ("no JSON", "{"),
        ("NaN", '{"alg":"EdDSA","kid":"e","x":NaN}'), ("deep", '{"alg":"EdDSA","kid":"e","x":' + "[" * 2_000),
    ):  # fmt: skip
        yield f"header: {name}", p.signed(head.encode(), payload, p.ed.sign)


def _shapes(p: People) -> Iterator[tuple[str, str]]:
    good = p.token()
    head, payload, signature = good.split(".")
    loose = chr(ord(signature[-1]) + 1)  # 64 bytes end with A, Q, g or w: the next letter stands for the same bytes
    for name, token in (
        ("nothing", ""), ("a dot", "."), ("two dots", ".."), ("a letter", "x"), ("two parts", f"{head}.{payload}"),
        ("four parts", f"{good}.{signature}"), ("five parts, as encrypted ones", f"{good}.{signature}.{signature}"),
        ("no header", f".{payload}.{signature}"), ("no payload", f"{head}..{signature}"), ("padding", f"{good}=="),
        ("padding inside", f"{head}==.{payload}.{signature}"), ("base64 that is not canonical", good[:-1] + loose),
        ("the other alphabet", f"{head}.{payload}.+/{signature[2:]}"),
        ("a blank inside", f"{head}. {payload}.{signature}"),
        ("not ASCII", f"{head}.{payload}.é{signature[1:]}"), ("two tokens", f"{good},{good}"), ("a quote", f'"{good}"'),
        ("huge", p.token(p.claims(more="x" * 9_000))), ("very huge", "x" * 40_000), ("Bearer twice", f"Bearer {good}"),
        ("a token in a token", p.signed(dumped({"alg": "EdDSA", "kid": "e"}), good.encode(), p.ed.sign)),
        ("JSON serialisation", json.dumps({"protected": head, "payload": payload, "signature": signature})),
    ):  # fmt: skip
        yield f"shape: {name}", token


def _claims(p: People) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    wrong: dict[str, list[object]] = {
        "exp": [now - 1, now, now - 5, 0, -1, str(now + 60), now + 60.5, 1e30, 10**30, 2**63, True, [], [now + 60], {}],
        "nbf": [now + 600, str(now), now + 0.5, -1, True, []],
        "iat": [now + 600, str(now), -1, {}],
        "iss": ["analytic", "analytics2", "Analytics", "analytics ", ["analytics"], "", 1, {}],
        "aud": ["analytic", "analytics-staging", "ANALYTICS", [], ["other"], [["analytics"]], {"analytics": 1},
                ["analytics", 1], ["analytics", ""], "", 0],
        "jti": ["", 1, [], "a\nb"],
    }  # fmt: skip
    for name, values in wrong.items():
        if name not in ("nbf", "iat"):
            yield f"no {name}", p.token(p.claims(**{name: None}))
        for value in values:
            # by what it is from now, so that its name is the same in every run
            told = re.sub(r"\b\d{10}\b", lambda found: f"now{int(found[0]) - now:+d}", repr(value))
            yield f"{name} {told:.30}", p.token(p.claims(**{name: value}))
    for name in ("NaN", "Infinity", "-Infinity", "1e400", "null"):
        text = json.dumps(p.claims(exp=0)).replace('"exp": 0', f'"exp": {name}')
        yield f"exp {name}", p.token(text)


def _persons(p: People) -> Iterator[tuple[str, str]]:
    wrong: dict[str, list[object]] = {
        "sub": ["", "x" * 300, "eve\n", "eve\0", "\u202eeve", "\ud800", 7, ["eve"], {}],
        "company_id": ["", " ", "acme ", "acme\n", "ac me", "../beta", "acme*", "acme.>", "acme:u1", "\u0430cme",
                       "x" * 65, [],
                       ["acme", ""], ["acme", "*"], ["*"], ["acme", 1], {"acme": 1}, 0, True, "**", "%"],
        "roles": ["", [], "king", "ADMIN", "admin ", ["admin", "king"], [["admin"]], {"admin": 1}, 1, True, "operator",
                  "admin,viewer", [""]],
        "tier": ["GOLD", "", 1, [], ["PRO"], "PRO "],
    }  # fmt: skip
    for name, values in wrong.items():
        for value in values:
            yield f"{name} {value!r:.30}", p.token(p.claims(**{name: value}))
        if name != "tier":
            yield f"no {name}", p.token(p.claims(**{name: None}))


def _repeated(p: People) -> Iterator[tuple[str, str]]:
    """What one reader takes for the first and another for the last."""
    for name, more in (("exp", "1"), ("company_id", '"beta"'), ("roles", '"viewer"'), ("sub", '"ann"'), ("iss", '"x"')):
        yield f"{name} twice", p.token(json.dumps(p.claims())[:-1] + f', "{name}": {more}}}')
        yield f"{name} twice, first", p.token("{" + f'"{name}": {more}, ' + json.dumps(p.claims())[1:])
    for name, text in (("a list", "[]"), ("a text", '"x"'), ("nothing", ""), ("no JSON", "{'a': 1}"), ("null", "null")):
        yield f"claims are {name}", p.token(text)
    yield "claims are deep", p.token(json.dumps(p.claims())[:-1] + ', "x": ' + "[" * 1_500 + "]" * 1_500 + "}")
