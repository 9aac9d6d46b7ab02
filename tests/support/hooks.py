"""A receiver of webhooks over TLS, as a company would run one: it counts what comes, by its id."""

from __future__ import annotations

import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "hooks.example.com"


class Hooks:
    """`messages`: bodies by id; `heads`: their headers."""

    def __init__(self, folder: Path) -> None:
        self.certificate = _certificate(folder)
        self.messages: dict[str, list[Any]] = defaultdict(list)
        self.raw: list[tuple[dict[str, str], str]] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length).decode()
                if len(body) < length:  # who sent it has died
                    return
                hooks.raw.append(({name.lower(): value for name, value in self.headers.items()}, body))
                hooks.messages[self.headers["webhook-id"]].append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "hook.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{HOST}:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which it is reached and trusted."""
        return {"ANALYTICS_DELIVERY_HOSTS": f"{HOST}=127.0.0.1", "SSL_CERT_FILE": str(self.certificate)}


@contextmanager
def hooks(folder: Path) -> Iterator[Hooks]:
    """One, for as long as this lasts."""
    receiving = Hooks(folder)
    try:
        yield receiving
    finally:
        receiving.server.shutdown()
        receiving.server.server_close()


def _certificate(folder: Path) -> Path:
    """One that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    )
    names = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "hook.pem").write_bytes(made.public_bytes(pem))
    (folder / "hook.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "hook.pem"
