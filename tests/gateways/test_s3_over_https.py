"""What boto3 puts on an encrypted wire: over plain HTTP its default would look harmless."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from consumers.gateways.s3 import client_config


class Store(ThreadingHTTPServer):
    """Takes every PUT and remembers the headers of the last one."""

    seen: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.server.seen = {name.lower(): value for name, value in self.headers.items()}
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to say to the terminal."""


def certificate(folder: Path) -> Path:
    """A key and its certificate for 127.0.0.1, good for an hour."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "store.pem"
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Store, str]]:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = Store(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server, str(file)
    server.shutdown()
    thread.join()
    server.server_close()


def put(store: tuple[Store, str], config: Config) -> dict[str, str]:
    server, trusted = store
    client = boto3.client(
        "s3",
        endpoint_url=f"https://127.0.0.1:{server.server_port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=config,
        verify=trusted,
    )
    client.put_object(Bucket="assets", Key="a.png", Body=b"picture", IfNoneMatch="*")
    return server.seen


def test_no_checksum_trailer_is_sent_although_it_is_the_default(store: tuple[Store, str]) -> None:
    default = put(store, Config(region_name="auto"))
    assert default["content-encoding"] == "aws-chunked"
    assert default["x-amz-content-sha256"].startswith("STREAMING-")

    ours = put(store, client_config())
    assert "content-encoding" not in ours
    assert "transfer-encoding" not in ours
    assert not ours["x-amz-content-sha256"].startswith("STREAMING-")
    assert not [name for name in ours if "checksum" in name or "trailer" in name]
    assert ours["if-none-match"] == "*"
    assert "/auto/s3/aws4_request" in ours["authorization"]
