"""A JWKS that is read again: every few minutes, and sooner when a token names a key that is not in it.

Reading is done by a thread of its own, so that a slow key server holds up no request. What a token says never decides
where is read, only that it is done now, and that at most once a PAUSE.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

import jwt

from adapters.auth.keys import read_jwks
from adapters.files.key_pair import secret
from domain.errors import AnalyticsError, Unavailable

EVERY = 300.0  # seconds between two readings of an address
OFTEN = 10.0  # of a file, which costs nobody anything: whoever takes a key out of it wants it to be gone
PAUSE = 10.0  # seconds between two readings at least, whoever asks for unknown keys
KEYS_VALID = 3_600.0  # seconds that keys count after the last reading that went well
PATIENCE = 5.0  # seconds that one reading may take
LARGEST = 262_144  # bytes of a JWKS
CHANGEABLE = 0o022  # rights that nobody but the owner may have to a JWKS file

logger = logging.getLogger(__name__)

Read = Callable[[], bytes]


class ReadKeys:
    """`adapters.auth.keys.Keys` out of a JWKS that may change. It is read once here, then in the background."""

    def __init__(
        self, read: Read, source: str, *, every: float = EVERY, pause: float = PAUSE, longest_age: float = KEYS_VALID
    ) -> None:
        self._read, self._source = read, source
        self._every, self._pause, self._longest_age = every, pause, longest_age
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._good = -float("inf")  # when a reading went well for the last time
        self._tried = 0.0
        self._due = threading.Event()
        self._closed = False
        self._look()
        threading.Thread(target=self._run, name="jwks", daemon=True).start()

    def get(self, kid: str, /) -> jwt.PyJWK | None:
        """The key of that name; one that is unknown is looked for in the background. Raises Unavailable."""
        now = time.monotonic()
        key = self._keys.get(kid) if now - self._good <= self._longest_age else None
        if key is None:
            if now - self._tried >= self._pause:
                self._due.set()
            if now - self._good > self._longest_age:
                raise Unavailable(f"the keys of {self._source} cannot be read, and old ones no longer count")
        return key

    def close(self) -> None:
        """Read no more; the process's end does it as well."""
        self._closed = True
        self._due.set()

    def _run(self) -> None:
        while not self._closed:
            self._due.wait(self._every)
            self._due.clear()
            if not self._closed and time.monotonic() - self._tried >= self._pause:
                self._look()

    def _look(self) -> None:
        """Read now. What is read counts as a whole: a key that is no longer there is withdrawn."""
        try:
            self._keys = read_jwks(self._read(), self._source)
            self._good = time.monotonic()
        except (AnalyticsError, OSError, HTTPException, ValueError) as error:
            logger.error("the keys of %s cannot be read: %s", self._source, error)
        self._tried = time.monotonic()


def keys_of(source: str) -> ReadKeys:
    """The keys of a JWKS file or of an http(s) URL. Raises Invalid for a file that holds none."""
    if source.startswith(("http://", "https://")):
        return ReadKeys(lambda: fetch(source), source)
    path = Path(source)
    read_jwks(_of_file(path), source)  # a file is there from the start, or the setting is wrong
    return ReadKeys(lambda: _of_file(path), source, every=OFTEN, pause=1.0)


def _of_file(path: Path) -> bytes:
    """What it holds. Everybody may read public keys; who can change them decides who comes in."""
    return secret(path, others=CHANGEABLE)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address in the settings or not at all."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        """Let the redirection be the error that it is."""
        return


def fetch(url: str, patience: float = PATIENCE) -> bytes:
    """What the address answers, at most LARGEST bytes, within `patience` seconds. Raises Unavailable."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    deadline = time.monotonic() + patience
    text = b""
    try:
        with opener.open(url, timeout=patience) as response:
            while some := response.read1(65_536):
                text += some
                if len(text) > LARGEST or time.monotonic() > deadline:
                    raise Unavailable(f"{url} answers more than {LARGEST} bytes, or too slowly")
    except urllib.error.HTTPError as error:
        with error:
            raise Unavailable(f"{url} answers {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"{url} does not answer: {error}") from None
    return text
