"""What the words of a token must be: strict where the standard leaves room, because both ends are told the rules.

JSON without duplicate names, times as whole seconds, `exp` without any leeway, texts that are fit for log lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.access.rights import EVERY_COMPANY, MOST_IDS, Member, Principal, Role, Tier
from domain.errors import Invalid
from domain.events.catalogue import COMPANY_ID

LEEWAY = 5  # seconds by which a token's beginning (nbf, iat) may lie in our future; its end has no leeway
LATEST = 4_102_444_800  # 2100-01-01: an end beyond it is a mistake
LONGEST_TEXT = 256
MOST_COMPANIES = 1_000
TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_company = re.compile(COMPANY_ID.replace("$", r"\Z"))

Claims = Mapping[str, Any]


class InvalidClaim(ValueError):
    """A word of the token is not what it must be."""


def read_object(text: bytes) -> Claims:
    """A JSON object. Raises InvalidClaim for anything else, and for one that says something twice."""
    try:
        document = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidClaim(f"it is no JSON that is taken here: {error}") from None
    if not isinstance(document, dict):
        raise InvalidClaim("it is no JSON object")
    return document


def _once(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) < len(members):
        raise InvalidClaim("it names something twice")
    return unique


def _no_number(text: str) -> object:
    raise InvalidClaim(f"{text} is no whole number")


def check_header(header: Claims) -> str:
    """The `kid` of a header that may be trusted so far. Raises InvalidClaim."""
    for name in ("crit", "b64", "zip", "enc", "cty"):
        if name in header:
            raise InvalidClaim(f"{name!r} is not understood")
    if "typ" in header and (not isinstance(header["typ"], str) or header["typ"].lower() not in TYPES):
        raise InvalidClaim("its type is another than JWT")
    return _text(header, "kid")


def begins_at(claims: Claims) -> int:
    """From when on it is valid (seconds since 1970), 0 where that is not said. Raises InvalidClaim."""
    return max((_time(claims, name) for name in ("nbf", "iat") if name in claims), default=0)


def principal_of(claims: Claims, issuer: str, audience: str) -> Principal:
    """Whom verified claims speak of. Raises InvalidClaim.

    `company_id` and `roles` are a text or a list of texts; so are `user_ids` and `account_ids`, which are looked at for
    the role member alone.
    """
    expires_at = _time(claims, "exp")
    if _text(claims, "iss") != issuer:
        raise InvalidClaim("its issuer is another one")
    if audience not in _texts(claims, "aud"):
        raise InvalidClaim("it is meant for another audience")
    _text(claims, "jti")
    try:
        roles = frozenset(Role(role) for role in _texts(claims, "roles"))
        return Principal(
            sub=_text(claims, "sub"),
            companies=_companies(claims),
            roles=roles,
            tier=Tier(_text(claims, "tier").upper()) if "tier" in claims else Tier.FREE,
            expires_at=float(expires_at),
            member=_member(claims) if Role.MEMBER in roles else None,
        )
    except InvalidClaim:
        raise
    except (ValueError, Invalid) as error:
        raise InvalidClaim(str(error)) from None


def _member(claims: Claims) -> Member:
    named = {name: _texts(claims, name, MOST_IDS) for name in ("user_ids", "account_ids") if claims.get(name, []) != []}
    return Member(frozenset(named.get("user_ids", ())), frozenset(named.get("account_ids", ())))


def _companies(claims: Claims) -> frozenset[str]:
    if claims.get("company_id") == EVERY_COMPANY:  # as a text: among others it would be a slip that opens everything
        return frozenset({EVERY_COMPANY})
    companies = _texts(claims, "company_id")
    if not all(_company.match(company) for company in companies):
        raise InvalidClaim("company_id names what is no company")
    return frozenset(companies)


def _time(claims: Claims, name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < LATEST:
        raise InvalidClaim(f"{name} must be whole seconds since 1970")
    return value


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not value.isprintable():
        raise InvalidClaim(f"{name} must be a text of 1 to {LONGEST_TEXT} printable characters")
    return value


def _texts(claims: Claims, name: str, most: int = MOST_COMPANIES) -> list[str]:
    value = claims.get(name)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 0 < len(texts) <= most:
        raise InvalidClaim(f"{name} is neither a text nor a list of texts")
    return [_text({name: text}, name) for text in texts]
