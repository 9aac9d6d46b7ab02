"""HTTP with TLS, and without it only where nobody else can come."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.serving.http_server import serve_http
from app.serving.tls import CertificateFiles, certificate_files
from app.settings import Settings
from domain.errors import Invalid, Unavailable


async def hello(scope: dict[str, object], receive: object, send: object) -> None:
    """An application that greets."""
    assert callable(receive)
    assert callable(send)
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=True).sign(key, hashes.SHA256())
    pem, text = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "certificate").write_bytes(certificate.public_bytes(pem))
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_bytes(key.private_bytes(pem, text, serialization.NoEncryption()))
    return CertificateFiles(str(folder / "certificate"), str(folder / "key"))


async def test_http_is_served_with_the_certificate_of_the_settings(files: CertificateFiles) -> None:
    """Whoever trusts it is answered; without encryption there is no answer."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(hello, "127.0.0.1", 0, stop, port.set_result, files))
        trust = ssl.create_default_context(cafile=files.certificate)
        async with httpx.AsyncClient(verify=trust) as client:
            answer = await client.get(f"https://127.0.0.1:{await port}/")
        assert (answer.status_code, answer.text) == (200, "hello")
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{await port}/")
        stop.set()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "analytics.internal", ""])
def test_nothing_listens_in_the_clear_where_others_may_come(host: str) -> None:
    """Unless somebody says so."""
    with pytest.raises(Invalid, match="there is no TLS") as raised:
        certificate_files(Settings(host=host))
    assert "ANALYTICS_PLAINTEXT=yes" in " ".join(raised.value.suggested_actions)
    assert certificate_files(Settings(host=host, plaintext="yes")) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_certificate(host: str) -> None:
    """What nobody else can reach."""
    assert certificate_files(Settings(host=host)) is None


def test_files_that_are_no_good_are_named(files: CertificateFiles, tmp_path: Path) -> None:
    """Good ones are taken; others are missing, of another form, not of each other, or only one of the two."""
    assert certificate_files(Settings(tls_certificate=files.certificate, tls_key=files.key)) == files
    (tmp_path / "text").write_text("no certificate")
    for certificate, key in (
        (files.certificate, ""),
        ("", files.key),
        (files.certificate, files.certificate),
        (files.certificate, str(tmp_path / "missing")),
        (str(tmp_path / "text"), files.key),
        (str(tmp_path), files.key),
    ):
        with pytest.raises(Invalid, match=r"ANALYTICS_TLS_CERTIFICATE .* cannot be used"):
            certificate_files(Settings(tls_certificate=certificate, tls_key=key))


@pytest.mark.parametrize(("mode", "taken"), [(0o600, True), (0o640, True), (0o644, False), (0o660, False)])
def test_a_key_that_others_can_read_is_refused(files: CertificateFiles, tmp_path: Path, mode: int, taken: bool) -> None:
    """A group may read it, as the groups that hold certificates do; nobody else may, and nobody may change it."""
    key = tmp_path / "key"
    key.write_bytes(Path(files.key).read_bytes())
    key.chmod(mode)
    settings = Settings(tls_certificate=files.certificate, tls_key=str(key))
    if taken:
        assert certificate_files(settings)
    else:
        with pytest.raises(Invalid, match=f"mode {mode:04o}"):
            certificate_files(settings)


@pytest.mark.parametrize("host", ["no such host", "x" * 300, "1.2.3.4.5"])
async def test_an_address_that_is_none_is_one_clear_error(host: str) -> None:
    """Whatever the resolver thinks of it."""
    with pytest.raises(Unavailable, match="cannot listen on"):
        await serve_http(hello, host, 0, asyncio.Event(), lambda _: None)
