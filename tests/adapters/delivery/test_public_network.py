"""Nothing but public addresses is connected to: a listener on addresses that are not counts no connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from adapters.delivery.public_network import PublicNetwork, Resolve, named_hosts, post
from domain.errors import Forbidden, Invalid, Unavailable

LOCAL = ("127.0.0.1", "::1")


class Trap:
    """A listener that counts who connects, and answers each with the same words."""

    def __init__(self, address: str, answer: bytes) -> None:
        self._socket = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port, self.connections, self._answer = self._socket.getsockname()[1], 0, answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                read = b""
                while not read.endswith(b"{}") and (piece := connection.recv(65536)):
                    read += piece
                connection.sendall(self._answer)

    def close(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def trap(address: str = "127.0.0.1", answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> Iterator[Trap]:
    """One, for as long as this lasts."""
    listening = Trap(address, answer)
    try:
        yield listening
    finally:
        listening.close()


def says(*answers: Sequence[str]) -> Resolve:
    """A resolver that gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


NOT_PUBLIC = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::"),
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """Alone, and behind one that is: all of them must be."""
    for answer in ([address], ["93.184.216.34", address]):
        with pytest.raises(Forbidden) as refused:
            await post(PublicNetwork({}, says(answer)), "https://hooks.example.com/", {}, b"{}")
        assert refused.value.code == "address_refused"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0x7f.1", "2130706433", "127.1", "0177.0.0.1"]
)
async def test_a_listener_at_home_sees_nobody(host: str) -> None:
    """Whatever the address is spelled like, at whatever port."""
    with ExitStack() as stack:
        traps = [stack.enter_context(trap(address)) for address in LOCAL]
        for listening in traps:
            for url in (f"http://{host}:{listening.port}/", f"https://{host}:{listening.port}/"):
                with pytest.raises((Forbidden, Unavailable)):
                    await post(PublicNetwork({}), url, {}, b"{}")
        for url in (f"http://{host}/", f"https://{host}/"):
            with pytest.raises((Forbidden, Unavailable)):
                await post(PublicNetwork({}), url, {}, b"{}")
        assert [listening.connections for listening in traps] == [0, 0]


async def test_a_name_that_changes_its_address_is_connected_where_it_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is resolved once: the second answer, which would be the trap, is never asked for."""
    connected: list[str] = []

    async def connect(_self: object, host: str, *_rest: object, **_named: object) -> None:
        connected.append(host)
        raise OSError("nobody there")

    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
    with pytest.raises(Unavailable):
        await post(PublicNetwork({}, says(["93.184.216.34"], ["127.0.0.1"])), "https://hooks.example.com/", {}, b"{}")
    assert connected == ["93.184.216.34"]


async def test_redirects_and_proxies_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status of the redirect is the answer; a proxy of the environment is not asked."""
    with trap() as target, trap() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        moved = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:{target.port}/\r\n\r\n".encode()
        with trap(answer=moved) as first:
            network = PublicNetwork(named_hosts("hooks.test=127.0.0.1"))
            assert await post(network, f"http://hooks.test:{first.port}/", {}, b"{}") == 307
            assert (first.connections, target.connections, proxy.connections) == (1, 0, 0)


@pytest.mark.parametrize("port", [22, 8080, 6379, 65535])
async def test_other_ports_are_refused(port: int) -> None:
    """Even of hosts that are public."""
    with pytest.raises(Forbidden) as refused:
        await post(PublicNetwork({}, says(["93.184.216.34"])), f"https://hooks.example.com:{port}/", {}, b"{}")
    assert refused.value.code == "port_refused"


def test_named_hosts_have_addresses() -> None:
    """A name in the place of one would be resolved by somebody."""
    assert named_hosts(" a.test=127.0.0.1, b.test=::1 ") == {"a.test": "127.0.0.1", "b.test": "::1"}
    with pytest.raises(Invalid):
        named_hosts("a.test=b.test")
