"""Keys that are read again: rotation, a key server that fails, and one that is hostile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from adapters.auth.jwks import LARGEST, ReadKeys, fetch, keys_of
from adapters.auth.keys import read_jwks
from adapters.auth.tokens import TokenVerifier
from domain.errors import Invalid, Unauthenticated, Unavailable
from tests.adapters.auth.hostile import People

PATIENCE = 10.0  # seconds


class Provider:
    """An identity provider's key server, of which a test decides what it answers."""

    def __init__(self) -> None:
        self.people = People()
        self.body = json.dumps(self.people.jwks()).encode()
        self.status = 200
        self.location = ""
        self.pause = 0.0
        self.asked = 0
        provider = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                time.sleep(provider.pause)
                self.send_response(provider.status)
                if provider.location:
                    self.send_header("Location", provider.location)
                self.send_header("Content-Length", str(len(provider.body)))
                self.end_headers()
                with suppress(OSError):  # the reader has had enough
                    self.wfile.write(provider.body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/keys"

    def rotate(self) -> People:
        """Other keys from now on, under other names."""
        self.people = People()
        keys = [{**key, "kid": f"new-{key['kid']}"} for key in self.people.jwks()["keys"]]
        self.body = json.dumps({"keys": keys}).encode()
        return self.people


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A key server that runs."""
    running = Provider()
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


Reading = Callable[..., ReadKeys]


@pytest.fixture
def reading(provider: Provider) -> Iterator[Reading]:
    """Makes keys that are read from the provider."""
    opened: list[ReadKeys] = []

    def read(**times: float) -> ReadKeys:
        opened.append(ReadKeys(lambda: fetch(provider.url, patience=1.0), provider.url, **times))
        return opened[-1]

    yield read
    for keys in opened:
        keys.close()


def verifier(keys: ReadKeys) -> TokenVerifier:
    """A verifier by these keys."""
    return TokenVerifier(keys, "analytics", "analytics")


def until(accepted: Callable[[], object]) -> None:
    """Try again until no Unauthenticated is raised."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            accepted()
        except Unauthenticated:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


def test_keys_come_from_the_address(provider: Provider) -> None:
    """One request at the start, none for each token."""
    keys = keys_of(provider.url)
    verify = verifier(keys)
    for token in provider.people.good().values():
        assert verify(token).sub == "eve"
    assert provider.asked == 1
    keys.close()


def test_a_new_key_is_found_when_a_token_names_it_and_the_old_one_falls(provider: Provider, reading: Reading) -> None:
    """Rotation needs no restart; a verdict that stood on a withdrawn key stands no longer."""
    verify, old = verifier(reading(pause=0.05)), provider.people.token()
    assert verify(old).sub == "eve"
    new = provider.rotate().token(kid="new-e")
    until(lambda: verify(new))
    with pytest.raises(Unauthenticated, match="not known here"):
        verify(old)


def test_unknown_keys_make_it_ask_once_a_pause_at_most(provider: Provider, reading: Reading) -> None:
    """Forged tokens must not become a flood of requests to the provider."""
    verify = verifier(reading(pause=3_600.0))
    for number in range(1_000):
        with pytest.raises(Unauthenticated):
            verify(provider.people.token(kid=f"forged-{number}"))
    time.sleep(0.2)
    assert provider.asked == 1


def test_a_slow_provider_holds_up_nobody(provider: Provider, reading: Reading) -> None:
    """Tokens are judged by what is known while keys are being read."""
    verify = verifier(reading(pause=0.0))
    provider.pause = 0.9
    began = time.monotonic()
    for number in range(100):
        with pytest.raises(Unauthenticated):
            verify(provider.people.token(kid=f"forged-{number}"))
        assert verify(provider.people.token()).sub == "eve"
    assert time.monotonic() - began < 0.8


def test_old_keys_count_while_the_provider_fails_and_then_nobody_comes_in(provider: Provider, reading: Reading) -> None:
    """For the stated time, and after it the answer is "not now" instead of a guess."""
    verify = verifier(reading(every=0.05, pause=0.01, longest_age=1.0))
    provider.status = 500
    began = time.monotonic()
    while time.monotonic() - began < 0.7:
        assert verify(provider.people.token()).sub == "eve"
    time.sleep(0.6)
    with pytest.raises(Unavailable):
        verify(provider.people.token())
    provider.status = 200
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            assert verify(provider.people.token()).sub == "eve"
            break
        except Unavailable:
            time.sleep(0.02)
    else:
        pytest.fail("the provider is back, and its keys are not")


def test_without_any_keys_nobody_can_be_known(provider: Provider, reading: Reading) -> None:
    """A provider that is away at the start keeps the process from nothing but knowing callers."""
    provider.status = 503
    with pytest.raises(Unavailable):
        verifier(reading())(provider.people.token())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_not_followed(provider: Provider, status: int) -> None:
    """Keys come from the address in the settings, whoever answers there."""
    provider.status, provider.location = status, f"{provider.url}?elsewhere"
    with pytest.raises(Unavailable, match=str(status)):
        fetch(provider.url)
    assert provider.asked == 1


def test_an_answer_without_end_is_cut(provider: Provider) -> None:
    """Neither memory nor time is the provider's to spend."""
    provider.body = b" " * (LARGEST + 1)
    with pytest.raises(Unavailable, match="more than"):
        fetch(provider.url)
    provider.pause = 2.0
    began = time.monotonic()
    with pytest.raises(Unavailable):
        fetch(provider.url, patience=0.2)
    assert time.monotonic() - began < 1.5


def test_what_is_no_jwks_leaves_the_keys_as_they_are(provider: Provider, reading: Reading) -> None:
    """An error page with status 200 must not lock everybody out."""
    verify = verifier(reading(every=0.02, pause=0.01))
    for body in (b"<html>", b"{}", b'{"keys": []}', b'{"keys": 1}', b"[]", b'{"keys": [1]}', b"\xff", b"[" * 50_000):
        provider.body = body
        asked, deadline = provider.asked, time.monotonic() + PATIENCE
        while provider.asked < asked + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert verify(provider.people.token()).sub == "eve"


def test_a_file_is_read_again(tmp_path: Path) -> None:
    """Whoever rotates keys replaces the file."""
    path, old, new = tmp_path / "jwks.json", People(), People()
    path.write_text(json.dumps(old.jwks()))
    keys = ReadKeys(path.read_bytes, str(path), pause=0.01)
    verify = verifier(keys)
    assert verify(old.token()).sub == "eve"
    path.write_text(json.dumps({"keys": [{**key, "kid": key["kid"] * 2} for key in new.jwks()["keys"]]}))
    until(lambda: verify(new.token(kid="ee")))
    keys.close()


@pytest.mark.parametrize(("mode", "taken"), [(0o644, True), (0o600, True), (0o664, False), (0o646, False)])
def test_a_file_that_others_can_change_is_refused(tmp_path: Path, mode: int, taken: bool) -> None:
    """Public keys may be read by everybody; who changes them decides who comes in."""
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(People().jwks()))
    path.chmod(mode)
    if taken:
        keys_of(str(path)).close()
    else:
        with pytest.raises(Invalid, match=f"mode {mode:04o}"):
            keys_of(str(path))


def unfit() -> dict[str, dict[str, Any]]:
    """Keys that a provider may publish, or slip in, and no token may be verified with."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

    people = People()
    private = OKPAlgorithm.to_jwk(people.ed, as_dict=True)
    return {
        "RSA of 1024 bits": RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True),
        "a private key": private,
        "another curve": ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True),
        "another curve under ES256": {
            **ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True), "alg": "ES256",
        },
        "Ed448": {**OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True), "alg": "EdDSA"},
        "a secret": {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "alg": "HS256"},
        "a secret under EdDSA": {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "alg": "EdDSA"},
        "for encryption": {**RSAAlgorithm.to_jwk(people.rs.public_key(), as_dict=True), "use": "enc"},
        "for RS512": {**RSAAlgorithm.to_jwk(people.rs.public_key(), as_dict=True), "alg": "RS512"},
        "none": {**OKPAlgorithm.to_jwk(people.ed.public_key(), as_dict=True), "alg": "none"},
    }  # fmt: skip


@pytest.mark.parametrize("name", unfit())
def test_keys_that_are_not_fit_are_left_out(name: str) -> None:
    """And one that has no others is no JWKS for us."""
    odd, good = {**unfit()[name], "kid": "odd"}, People().jwks()["keys"]
    assert set(read_jwks(json.dumps({"keys": [odd, *good]}).encode(), "it")) == {"e", "p", "r"}
    with pytest.raises(Invalid, match="has no key of the algorithms"):
        read_jwks(json.dumps({"keys": [odd]}).encode(), "it")


def test_two_keys_of_one_name_are_refused() -> None:
    """Which of them counts would be a guess."""
    keys = People().jwks()["keys"] + People().jwks()["keys"]
    with pytest.raises(Invalid, match="two keys of one kid"):
        read_jwks(json.dumps({"keys": keys}).encode(), "it")
