"""A mail server of one's own: the real protocol on a real socket, with TLS if it is asked for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "ringback", "s3cret of the mail server"
REFUSED = "refused@full.example"
"""An address whose mailbox takes nothing."""


@dataclass
class Received:
    """One mail, and for whom it was handed over."""

    message: EmailMessage
    to: list[str]

    @property
    def text(self) -> str:
        """What it says."""
        content: str = self.message.get_content()
        return content

    @property
    def path(self) -> str:
        """The path of the link in it."""
        (line,) = [line for line in self.text.splitlines() if line.startswith("http")]
        return "/" + line.split("/", 3)[3]


@dataclass
class Postbox:
    """What came in so far; ``meanwhile`` is done while a mail is being handed over."""

    port: int
    received: list[Received] = field(default_factory=list)
    logged_in: list[str] = field(default_factory=list)
    meanwhile: Callable[[Received], None] | None = None

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd has it
        self,
        _server: object,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Whether a mailbox is there."""
        if address == REFUSED:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        received = Received(message, list(envelope.rcpt_tos))
        if self.meanwhile is not None:
            self.meanwhile(received)
        self.received.append(received)
        return "250 OK"

    def authenticate(self, *asked: object) -> AuthResult:
        """Whether a password is right."""
        data = asked[-1]
        assert isinstance(data, LoginPassword)
        self.logged_in.append(data.login.decode())
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, *, from_the_start: bool = False) -> Iterator[Postbox]:
    """A mail server until the end of the block. With TLS it takes mails only after STARTTLS and a log-in."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    postbox = Postbox(port)
    options: dict[str, Any] = {"ssl_context": tls, "auth_require_tls": False} if from_the_start else {}
    if tls is not None and not from_the_start:
        options = {"tls_context": tls, "require_starttls": True, "auth_required": True}
    controller = Controller(postbox, hostname="127.0.0.1", port=port, authenticator=postbox.authenticate, **options)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()


def certify(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1, ready for a server, and the file by which a client trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    forms = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *forms))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted
