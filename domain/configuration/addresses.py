"""Where messages may be sent: the form of e-mail addresses and webhooks, and hosts that are nobody's business.

This refuses what can be refused when it is typed: literal addresses that are not public, in every spelling that an
HTTP client may understand, and names that only a local network knows. What a public name resolves to is judged again
when something is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from urllib.parse import unquote, urlsplit

LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # full stops that IDNA reads as a dot
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
# RFC 6052: an IPv4 address lies in the last 32 bits
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

Address = IPv4Address | IPv6Address


def url_problem(url: str) -> str | None:
    """Why nothing can be sent to an https address; None where nothing speaks against it."""
    try:
        parts = urlsplit(unicodedata.normalize("NFKC", url))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address: its host or port cannot be read"
    if port == 0:
        return "has port 0, which nobody listens on"
    try:
        address = read_host(host)
    except ValueError as error:
        return f"has the host {host[:64]!r}, which {error}"
    if address is not None and not _public(address):
        return f"leads to {address}, which is not public"
    return None


def email_problem(address: str) -> str | None:
    """Why nobody can be written to there; None where nothing speaks against it."""
    local, _, domain = address.rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "has a dot at the edge of, or twice in, what stands before @"
    try:
        literal = read_host(domain)
    except ValueError as error:
        return f"has the domain {domain[:64]!r}, which {error}"
    return None if literal is None else "names a host by its number, not by its domain"


# What some releases of Python take for public: protocol assignments, 6to4 relays, Azure's server for its own machines,
# documentation.
_REFUSED = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")))


def reachable(address: Address) -> bool:
    """Whether something may be sent to what a name resolved to: it is public, and stands for no other address."""
    refused = any(address in network for network in _REFUSED)
    return list(_inside(address)) == [address] and _public(address) and not refused


def read_host(host: str) -> Address | None:
    """The address that a host spells; None for a name. Raises ValueError for what is neither, or is a local name."""
    plain = _ascii(unicodedata.normalize("NFKC", unquote(host)).translate(_DOTS).lower().removesuffix("."))
    if ":" in plain:
        return IPv6Address(plain.partition("%")[0])
    labels = plain.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _legacy_ipv4(labels)
    _must_be_a_name(plain, labels)
    return None


def _legacy_ipv4(labels: list[str]) -> IPv4Address:
    """As inet_aton reads it: one to four numbers, decimal, octal or hexadecimal, the last one filling what is left."""
    if len(labels) > 4 or not all(map(_NUMBER.fullmatch, labels)):
        raise ValueError("ends in a number and is no address")
    *high, low = map(_number, labels)
    if any(part > 255 for part in high) or low >= 256 ** (4 - len(high)):
        raise ValueError("is no address: a number is too large")
    return IPv4Address(sum(part << 8 * (3 - place) for place, part in enumerate(high)) + low)


def _number(text: str) -> int:
    if len(text) > 32:
        raise ValueError("is no address: a number is too large")
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    if len(text) > 1 and text.startswith("0"):
        return int(text, 8)
    return int(text)


def _ascii(host: str) -> str:
    """As it is looked up: letters that look like nothing are gone, those beyond ASCII are encoded."""
    try:
        return host if host.isascii() else host.encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError("is no domain name") from None


def _must_be_a_name(plain: str, labels: list[str]) -> None:
    if len(plain) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("is no domain name")
    if len(labels) == 1 or any(plain.endswith(f".{name}") for name in LOCAL_NAMES):
        raise ValueError("is a name of a local network")


def _public(address: Address) -> bool:
    """Whether it is one that anybody may reach; an address inside of another one counts as well."""
    return all(one.is_global and not one.is_multicast for one in _inside(address))


def _inside(address: Address) -> Iterator[Address]:
    """The address, or the IPv4 address that it stands for."""
    if isinstance(address, IPv4Address):
        yield address
        return
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _NAT64) or int(address) < 2**32:
        embedded.append(IPv4Address(int(address) & 0xFFFFFFFF))
    yield from (one for one in embedded if one is not None)
    if address.ipv4_mapped is None:
        yield address
