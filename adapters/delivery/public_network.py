"""A network on which nothing but public addresses is reached, whatever a name resolves to (ADR 0059).

A name is resolved once. All of its addresses must be public, and the connection goes to one of those that were judged:
nothing is connected to in order to find out, and no second look can give another answer. The client above it follows no
redirect and knows no proxy, because `httpcore` has neither.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from domain.configuration.addresses import reachable
from domain.errors import Forbidden, Invalid, Unavailable

PORTS = (80, 443)
SECONDS = 20.0  # that one request may take, from the name to the end of the answer
MOST_ANSWER = 64 * 1024  # bytes of an answer that are read
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


def named_hosts(text: str) -> Mapping[str, str]:
    """Hosts and their addresses out of `name=address,…`. Raises Invalid."""
    pairs = [each.strip().partition("=") for each in text.split(",") if each.strip()]
    try:
        return {name.lower(): str(ip_address(address)) for name, _, address in pairs}
    except ValueError as error:
        raise Invalid(f"ANALYTICS_DELIVERY_HOSTS: {error}", code="bad_setting") from None


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host. Raises Unavailable where it has none at the moment."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{host} has no address: {error}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """`named`: hosts that are reached at an address of the settings instead, whatever it is and on any port."""

    def __init__(self, named: Mapping[str, str], resolve: Resolve = resolve) -> None:
        self._named, self._resolve = named, resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises Forbidden where one of them is not public."""
        addresses = [self._named[host]] if host in self._named else await self._public(host, port)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _public(self, host: str, port: int) -> Sequence[str]:
        if port not in PORTS:
            raise Forbidden(f"{host}: nothing is sent to port {port}, but to 80 and 443", code="port_refused")
        addresses = await self._resolve(host, port)
        for address in addresses:
            if not reachable(ip_address(address.partition("%")[0])):
                raise Forbidden(f"{host} leads to {address}, which is not public", code="address_refused")
        if not addresses:
            raise Unavailable(f"{host} has no address")
        return addresses

    async def connect_unix_socket(self, *_args: Any, **_named: Any) -> httpcore.AsyncNetworkStream:
        """Nothing is sent there. Raises Forbidden."""
        raise Forbidden("nothing is sent to a socket of this machine", code="address_refused")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def post(network: PublicNetwork, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status of the answer to a POST on a connection of its own.

    Raises Forbidden for where nothing may be sent, Unavailable where nobody answers in time.
    """
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context(), network_backend=network) as pool,
            pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
            ) as answer,
        ):
            read = 0
            async for piece in answer.aiter_stream():
                read += len(piece)
                if read > MOST_ANSWER:
                    break
            return answer.status
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise Unavailable(f"{_host(url)} did not answer in {SECONDS:.0f} s") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Unavailable(f"{_host(url)} does not answer: {error}") from error
    except httpcore.UnsupportedProtocol as error:
        raise Forbidden(f"{_host(url)}: {error}", code="address_refused") from None


def _host(url: str) -> str:
    return httpcore.URL(url).host.decode(errors="replace")
