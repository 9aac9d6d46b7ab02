"""Tokens: what is signed here is known here, and nothing else is."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.auth.jwks import keys_of
from adapters.auth.keys import SigningKey, read_jwks, signing_key
from adapters.auth.tokens import TokenIssuer, TokenVerifier
from domain.access.rights import Member, Role, Tier
from domain.errors import Invalid, Unauthenticated


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """The key of a data folder."""
    return signing_key(tmp_path)


@pytest.fixture
def verify(key: SigningKey) -> TokenVerifier:
    """A verifier that knows this key."""
    return TokenVerifier(key.public(), "analytics", "analytics")


def claims(**members: object) -> dict[str, Any]:
    """Good claims, with some of them changed; None leaves one out."""
    now = int(time.time())
    good: dict[str, object] = {
        "iss": "analytics", "aud": "analytics", "sub": "ann", "jti": "1", "nbf": now, "exp": now + 60,
        "company_id": "acme", "roles": ["viewer"], "tier": "PRO",
    }  # fmt: skip
    return {name: value for name, value in (good | members).items() if value is not None}


def signed(key: SigningKey, payload: dict[str, Any], **headers: object) -> str:
    """A token of these claims, signed with the key."""
    return jwt.encode(payload, key.private, algorithm="EdDSA", headers={"kid": key.kid, **headers})


def test_an_issued_token_comes_back_as_its_principal(key: SigningKey, verify: TokenVerifier) -> None:
    """Subject, company, roles, tier and end."""
    token = TokenIssuer(key, "analytics", "analytics").issue("ann", [Role.ANALYST], "acme", Tier.PRO, 60)
    ann = verify(token)
    assert (ann.sub, ann.company_id, ann.tier) == ("ann", "acme", Tier.PRO)
    assert ann.roles == {Role.ANALYST}
    assert 50 < ann.expires_at - time.time() <= 60


def test_a_member_is_the_users_that_its_token_names(key: SigningKey, verify: TokenVerifier) -> None:
    """By this instance's tokens and by others'; what another role's token says about users changes nothing."""
    member = Member(frozenset({"u1", "u2"}), frozenset({"a1"}))
    issued = TokenIssuer(key, "analytics", "analytics").issue("ann", [Role.MEMBER], "acme", Tier.PRO, 60, member)
    assert verify(issued).member == member
    assert verify(signed(key, claims(roles="member", user_ids="u1"))).member == Member(frozenset({"u1"}))
    assert verify(signed(key, claims(roles="viewer", user_ids=["u1"]))).member is None


def test_company_and_roles_may_be_lists(key: SigningKey, verify: TokenVerifier) -> None:
    """A service may publish for several companies."""
    bot = verify(signed(key, claims(company_id=["acme", "beta"], roles="service")))
    assert bot.companies == {"acme", "beta"}
    assert bot.roles == {Role.SERVICE}


@pytest.mark.parametrize("missing", ["iss", "aud", "exp", "sub", "jti", "company_id", "roles"])
def test_a_token_without_a_required_claim_is_refused(key: SigningKey, verify: TokenVerifier, missing: str) -> None:
    """Each of them is needed to know who it is and whether it is meant for us."""
    with pytest.raises(Unauthenticated):
        verify(signed(key, claims(**{missing: None})))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody"},
        {"aud": "another-service"},
        {"exp": int(time.time()) - 60},
        {"nbf": int(time.time()) + 86_400},
        {"roles": ["king"]},
        {"roles": []},
        {"company_id": ""},
        {"company_id": {"a": 1}},
        {"tier": "GOLD"},
        {"roles": "member"},
        {"roles": "member", "user_ids": []},
        {"roles": "member", "user_ids": ""},
        {"roles": "member", "user_ids": 0},
        {"roles": "member", "user_ids": ["u1", ""]},
        {"roles": "member", "user_ids": ["u1\n"]},
        {"roles": "member", "user_ids": {"u1": True}},
        {"roles": "member", "user_ids": [str(number) for number in range(101)]},
        {"roles": "member", "account_ids": ["a1"]},
        {"roles": "member", "user_ids": ["u1"], "account_ids": [1]},
        {"roles": "member", "user_ids": ["u1"], "company_id": "*"},
        {"roles": "member", "user_ids": ["u1"], "company_id": ["acme", "beta"]},
        {"roles": ["member", "viewer"], "user_ids": ["u1"]},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(key: SigningKey, verify: TokenVerifier, wrong: dict[str, Any]) -> None:
    """Every claim is looked at."""
    with pytest.raises(Unauthenticated):
        verify(signed(key, claims(**wrong)))


def test_a_verified_token_is_refused_once_it_has_ended(key: SigningKey) -> None:
    """Remembering verified tokens must not make them live longer."""
    moment = float(int(time.time()))
    verify = TokenVerifier(key.public(), "analytics", "analytics", now=lambda: moment)
    token = signed(key, claims(exp=int(moment) + 1))
    assert verify(token) is verify(token)
    moment += 1
    with pytest.raises(Unauthenticated, match="expired"):
        verify(token)


def test_keys_that_the_token_itself_brings_are_never_used(verify: TokenVerifier, key: SigningKey) -> None:
    """jwk, jku and x5u in the header are an attacker's words."""
    attacker = Ed25519PrivateKey.generate()
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(attacker.public_key(), as_dict=True)
    for headers in ({"jwk": jwk}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/cert"}):
        forged = jwt.encode(claims(), attacker, algorithm="EdDSA", headers={"kid": key.kid, **headers})
        with pytest.raises(Unauthenticated):
            verify(forged)


def test_unknown_keys_and_other_algorithms_are_refused(verify: TokenVerifier, key: SigningKey) -> None:
    """An unknown kid, no signature at all, and a public key misused as a shared secret."""
    with pytest.raises(Unauthenticated, match="not known here"):
        verify(signed(key, claims(), kid="another"))
    unsigned = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "none", "kid": key.kid}, claims())
    )
    with pytest.raises(Unauthenticated):
        verify(unsigned.decode() + ".")
    with pytest.raises(Unauthenticated):
        verify(jwt.encode(claims(), "s" * 32, algorithm="HS256", headers={"kid": key.kid}))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.è.ê", "x" * 9000])
def test_garbage_is_refused_with_a_sentence(verify: TokenVerifier, token: str) -> None:
    """Whatever comes in the header, nothing but Unauthenticated comes out."""
    with pytest.raises(Unauthenticated):
        verify(token)


def test_processes_that_make_the_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    """Otherwise the tokens of one would be unknown to the other."""
    kids: list[str] = []
    makers = [threading.Thread(target=lambda: kids.append(signing_key(tmp_path).kid)) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(kids) == 8
    assert len(set(kids)) == 1
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    """It may be theirs by now."""
    signing_key(tmp_path)
    (path,) = tmp_path.iterdir()
    path.chmod(mode)
    with pytest.raises(Invalid, match=f"mode {mode:04o}"):
        signing_key(tmp_path)
    path.chmod(0o600)
    assert signing_key(tmp_path)


def test_keys_of_another_issuer_come_from_a_jwks_file(tmp_path: Path) -> None:
    """ES256 and RS256 as well; a symmetric key in the file is left out."""
    elliptic, classic = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    entries = [
        {**jwt.algorithms.ECAlgorithm.to_jwk(elliptic.public_key(), as_dict=True), "kid": "e", "alg": "ES256"},
        {**jwt.algorithms.RSAAlgorithm.to_jwk(classic.public_key(), as_dict=True), "kid": "r", "alg": "RS256"},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "kid": "s", "alg": "HS256"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": entries}))
    keys = read_jwks(path.read_bytes(), str(path))
    assert set(keys) == {"e", "r"}
    verify = TokenVerifier(keys, "analytics", "analytics")
    assert verify(jwt.encode(claims(), elliptic, algorithm="ES256", headers={"kid": "e"})).sub == "ann"
    assert verify(jwt.encode(claims(), classic, algorithm="RS256", headers={"kid": "r"})).sub == "ann"


def test_a_file_that_is_no_jwks_is_refused(tmp_path: Path) -> None:
    """At the start, not at the first request."""
    path = tmp_path / "jwks.json"
    path.write_text("{}")
    with pytest.raises(Invalid, match="is no JWKS"):
        keys_of(str(path))
