"""Whoever opens an httpx client reads the certificates of the whole world first: 40 ms, where a request takes 2."""

from __future__ import annotations

from collections.abc import Iterator

import certifi
import pytest

END = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session", autouse=True)
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One is enough here: no test speaks to the world, and those of TLS name their own."""
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    path.write_text(certifi.contents().split(END)[0] + END)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(path))
        yield
