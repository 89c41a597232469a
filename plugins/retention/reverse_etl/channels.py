"""Send messages by e-mail or to a Slack-compatible webhook."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from retention.errors import ConfigurationError, ExtractionError
from retention.http.responses import Reply, by_status, redact
from retention.http.retry import Transient, call_with_retries
from retention.reverse_etl.digest import Digest, as_html, as_slack, as_text, fingerprint
from retention.reverse_etl.settings import Find, Recipient
from retention.source import Connection

PATIENCE = 60.0


class Channel(Protocol):
    """A channel. ``address`` is empty for recipients without one; ``send`` raises on failure."""

    def address(self, recipient: Recipient) -> str: ...

    def send(self, digest: Digest, address: str) -> None: ...


class Email:
    """SMTP of the connection ``digest_smtp``: host ``smtp://mail.example.com:587``.

    The extra holds ``from``, and ``login`` if the server needs one. The connection is encrypted
    unless the server is local or the extra sets ``"tls": false``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sender = str(connection.extra.get("from") or "")
        self._server = urlsplit(connection.base_url)
        if not self._sender or self._server.scheme not in ("smtp", "smtps"):
            raise ConfigurationError(
                "needs a host like smtp://mail.example.com:587 and `from` in its extra.",
                where=connection.conn_id,
            )

    def address(self, recipient: Recipient) -> str:
        return recipient.email

    def send(self, digest: Digest, address: str) -> None:
        """Send the mail; retries reuse its Message-ID."""
        mail = self.message(digest, address)
        try:
            with self._connected() as server:
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            told = redact(str(error), self._connection.secret or "\0")
            raise ExtractionError(
                f"the mail to {digest.csm_id} was rejected: {told[:200]}",
                code="mail_refused",
                where=self._connection.conn_id,
            ) from error

    def message(self, digest: Digest, address: str) -> EmailMessage:
        """Build a mail with text and HTML of the digest."""
        mail = EmailMessage()
        mail["Subject"] = digest.subject
        mail["From"] = self._sender
        mail["To"] = address
        domain = self._sender.rpartition("@")[2].strip("<> ") or "localhost"
        mail["Message-ID"] = f"<{digest.as_of}.{fingerprint(digest)[:32]}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(as_text(digest))
        mail.add_alternative(as_html(digest), subtype="html")
        return mail

    def _connected(self) -> smtplib.SMTP:
        host, extra = self._server.hostname or "localhost", self._connection.extra
        context = ssl.create_default_context()
        if self._server.scheme == "smtps":
            port = self._server.port or 465
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(host, self._server.port or 587, timeout=PATIENCE)
            if extra.get("tls", host not in ("localhost", "127.0.0.1", "::1")):
                server.starttls(context=context)
        if extra.get("login"):
            server.login(str(extra["login"]), self._connection.secret)
        return server


class Slack:
    """A webhook of the connection ``digest_slack``; its password is the whole URL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._address = connection.secret or connection.base_url
        if urlsplit(self._address).scheme not in ("http", "https"):
            raise ConfigurationError(
                "needs the webhook's URL as its password.", where=connection.conn_id
            )

    def address(self, recipient: Recipient) -> str:
        return recipient.slack

    def send(self, digest: Digest, address: str) -> None:
        """Post the message; ``address`` is the channel, which Slack itself ignores."""
        message = {"channel": address, **as_slack(digest)}
        try:
            call_with_retries(lambda: self._post(message), budget=PATIENCE)
        except ExtractionError as error:
            raise ExtractionError(
                f"the message to {digest.csm_id} was rejected:"
                f" {redact(error.message, self._address)}",
                code=error.code,
                where=self._connection.conn_id,
            ) from None

    def _post(self, message: dict[str, object]) -> None:
        try:
            answer = httpx.post(self._address, json=message, timeout=30, follow_redirects=False)
        except httpx.ConnectError as error:
            # The message never arrived, so a retry cannot send it twice.
            unreachable = ExtractionError(f"no connection: {error}", code="unreachable")
            raise Transient(unreachable) from None
        except httpx.HTTPError as error:
            raise ExtractionError(f"no answer: {error}", code="unreachable") from None
        if not answer.is_success:
            refused = by_status(Reply(answer.status_code, answer.headers, answer.content))
            raise refused


def opened(names: tuple[str, ...], find: Find) -> dict[str, Channel]:
    """Open the named channels, each with its connection."""
    made: dict[str, Channel] = {}
    for name in names:
        made[name] = Email(find("digest_smtp")) if name == "email" else Slack(find("digest_slack"))
    return made
