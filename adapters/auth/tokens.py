"""Bearer tokens: signed JWTs in, principals out; and the other way for the tokens that this instance gives out."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import jwt

from adapters.auth.keys import ALGORITHMS, SigningKey
from domain.access import Principal, Role, Tier
from domain.errors import AnalyticsError, Unauthenticated

REQUIRED = ("iss", "aud", "exp", "sub", "jti")
LONGEST = 8_192  # bytes of a token that is looked at
CACHED = 4_096  # verified tokens that are remembered
LEEWAY = 5  # seconds by which clocks may differ
SIGN_IN_AGAIN = ("Sign in again, or make a token with `analytics token`.",)


class TokenVerifier:
    """Turns a bearer token into a principal; remembers the verdict on good ones until they expire.

    Only the keys given here count: `kid` chooses among them, and what a token says about other keys (jku, x5u, jwk) is
    never looked at.
    """

    def __init__(
        self,
        keys: Mapping[str, jwt.PyJWK],
        issuer: str,
        audience: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._verified: OrderedDict[str, Principal] = OrderedDict()

    def __call__(self, token: str) -> Principal:
        """The principal of a token. Raises Unauthenticated saying what is wrong with it."""
        known = self._verified.get(token)
        if known is not None and self._now() < known.expires_at:
            return known
        principal = _principal(self._claims(token))
        self._verified[token] = principal
        if len(self._verified) > CACHED:
            self._verified.popitem(last=False)
        return principal

    def _claims(self, token: str) -> Mapping[str, object]:
        if not token or len(token) > LONGEST:
            raise _refused("a bearer token is needed" if not token else "the token is too long")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise _refused("the token is signed with a key that is not known here")
            return jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise _refused(f"the token is not valid: {error}") from None


class TokenIssuer:
    """Signs tokens with this instance's key."""

    def __init__(self, key: SigningKey, issuer: str, audience: str) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience

    def issue(self, sub: str, roles: Sequence[Role], company: str, tier: Tier, seconds: float) -> str:
        """A token for a person or service of one company (`*` for all), valid from now."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + max(1, int(seconds)),
            "company_id": company,
            "roles": [role.value for role in roles],
            "tier": tier.value,
        }
        return jwt.encode(claims, self._key.private, algorithm="EdDSA", headers={"kid": self._key.kid})


def _principal(claims: Mapping[str, object]) -> Principal:
    """The principal that verified claims speak of: `company_id` and `roles` are a text or a list of texts."""
    try:
        return Principal(
            sub=str(claims["sub"]),
            companies=frozenset(_texts(claims, "company_id")),
            roles=frozenset(Role(role) for role in _texts(claims, "roles")),
            tier=Tier(str(claims.get("tier", Tier.FREE)).upper()),
            expires_at=float(str(claims["exp"])),
        )
    except (ValueError, AnalyticsError) as error:
        raise _refused(f"the token's claims are no good: {error}") from None


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    value = claims.get(name, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(t, str) and t for t in texts):
        raise ValueError(f"{name} is neither a text nor a list of texts")
    return texts


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated(reason, suggested_actions=SIGN_IN_AGAIN)
