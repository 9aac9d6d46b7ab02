"""Bearer tokens: signed JWTs in, principals out; and the other way for the tokens that this instance gives out."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import jwt
from cachetools import LRUCache
from jwt.utils import base64url_decode

from adapters.auth.claims import LEEWAY, InvalidClaim, begins_at, check_header, principal_of, read_object
from adapters.auth.keys import ALGORITHMS, Keys, SigningKey
from domain.access.rights import NONE_STORED, Member, Principal, Role, Tier
from domain.errors import Unauthenticated

LONGEST = 8_192  # bytes of a token that is looked at
CACHED = 4_096  # verified tokens that are remembered
SIGN_IN_AGAIN = ("Sign in again, or make a token with `analytics token`.",)
_SHAPE = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_JWS = jwt.PyJWS(algorithms=ALGORITHMS)  # it knows no other: neither `none` nor a shared secret


class Verdict(NamedTuple):
    """What was found of a good token, and the key that it stands on."""

    principal: Principal
    begins_at: int
    kid: str
    key: jwt.PyJWK


class TokenVerifier:
    """Turns a bearer token into a principal; remembers the verdict on those that are genuine.

    Only the keys given here count: `kid` chooses among them, and what a token says about other keys (jku, x5u, jwk,
    x5c) is never looked at. A verdict falls with its key. What is refused is refused before a signature is computed
    wherever that is possible. `stored_tiers`: what companies were commanded to have, as it is whenever it is looked at.
    """

    def __init__(
        self,
        keys: Keys,
        issuer: str,
        audience: str,
        now: Callable[[], float] = time.time,
        stored_tiers: Mapping[str, Tier] = NONE_STORED,
    ) -> None:
        self._keys = keys
        self._stored_tiers = stored_tiers
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._verified: LRUCache[str, Verdict] = LRUCache(CACHED)

    def __call__(self, token: str) -> Principal:
        """The principal of a token. Raises Unauthenticated saying what is wrong with it, Unavailable without keys."""
        principal = self.whose(token)
        if principal.expires_at <= self._now():
            raise _refused("the token is not valid: it has expired")
        return principal

    def whose(self, token: str) -> Principal:
        """The principal of a token, ended or not: who asks compares `expires_at` with the time that matters.

        Raises Unauthenticated for a token that is not good or has not begun, Unavailable without keys.
        """
        verdict = self._verified.get(token)
        if verdict is None or self._keys.get(verdict.kid) is not verdict.key:
            verdict = self._verified[token] = self._verify(token)
        if verdict.begins_at > self._now() + LEEWAY:
            raise _refused("the token is not valid: it has not begun")
        return verdict.principal

    def _verify(self, token: str) -> Verdict:
        shape = _SHAPE.fullmatch(token) if len(token) <= LONGEST else None
        if shape is None:
            raise _refused("the token is no signed JWT" if token else "a bearer token is needed")
        try:
            kid = check_header(read_object(base64url_decode(shape[1])))
            key = self._keys.get(kid)
            if key is None:
                raise _refused("the token is signed with a key that is not known here")
            claims = read_object(_JWS.decode(token, key=key, algorithms=[key.algorithm_name]))
            principal = replace(principal_of(claims, self._issuer, self._audience), stored_tiers=self._stored_tiers)
            return Verdict(principal, begins_at(claims), kid, key)
        except (jwt.PyJWTError, InvalidClaim, ValueError) as error:
            raise _refused(f"the token is not valid: {error}") from None


class TokenIssuer:
    """Signs tokens with this instance's key."""

    def __init__(self, key: SigningKey, issuer: str, audience: str) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience

    def issue(
        self,
        sub: str,
        roles: Sequence[Role],
        company: str | Sequence[str],
        tier: Tier,
        seconds: float,
        member: Member | None = None,
    ) -> str:
        """A token for a person or service of one company (`*` for all) or of several, valid from now."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + max(1, int(seconds)),
            "company_id": company if isinstance(company, str) else list(company),
            "roles": [role.value for role in roles],
            "tier": tier.value,
        }
        if member is not None:
            claims |= {"user_ids": sorted(member.user_ids), "account_ids": sorted(member.account_ids)}
        return jwt.encode(claims, self._key.private, algorithm="EdDSA", headers={"kid": self._key.kid})


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated(reason, suggested_actions=SIGN_IN_AGAIN)
