"""Encryption of what comes in: one certificate for HTTP and gRPC, and no listening in the clear by mistake."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import NamedTuple

from adapters.files.key_pair import secret
from app.settings import Settings
from domain.errors import Invalid

READABLE = 0o037  # rights that nobody but the owner and, to read, the group may have to a key


class CertificateFiles(NamedTuple):
    """PEM files of a server's certificate chain and of its private key."""

    certificate: str
    key: str

    def read(self) -> tuple[bytes, bytes]:
        """The texts of the key and of the chain. Raises Invalid where others can read the key, OSError."""
        return secret(Path(self.key), others=READABLE), Path(self.certificate).read_bytes()


def certificate_files(settings: Settings) -> CertificateFiles | None:
    """What the settings name; None to listen without TLS.

    Raises Invalid for files that are no good, or where none are named and other machines may reach the address.
    """
    if not settings.tls_certificate and not settings.tls_key:
        if settings.plaintext != "yes" and not _loopback(settings.host):
            raise Invalid(
                f"ANALYTICS_HOST is {settings.host}, which other machines may reach, and there is no TLS",
                code="bad_setting",
                suggested_actions=(
                    "Give ANALYTICS_TLS_CERTIFICATE and ANALYTICS_TLS_KEY,",
                    "or ANALYTICS_PLAINTEXT=yes behind something that encrypts.",
                ),
            )
        return None
    files = CertificateFiles(settings.tls_certificate, settings.tls_key)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*files)
        files.read()
    except OSError as error:  # ssl.SSLError is one
        raise Invalid(
            f"ANALYTICS_TLS_CERTIFICATE {files.certificate!r} and ANALYTICS_TLS_KEY {files.key!r}"
            f" cannot be used: {error.strerror or error}",
            code="bad_setting",
        ) from None
    return files


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
