"""Ways to a person: an e-mail, a message to a Slack-compatible webhook."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from retention.errors import ConfigurationError, ExtractionError
from retention.http.replies import Reply, by_status, harmless
from retention.http.retry import Transient, patiently
from retention.outbound.digest import Digest, as_html, as_slack, as_text, fingerprint
from retention.outbound.settings import Find, Recipient
from retention.source import Connection

PATIENCE = 60.0


class Channel(Protocol):
    """``address`` is empty for who does not read here; ``send`` raises when it did not arrive."""

    def address(self, recipient: Recipient) -> str: ...

    def send(self, digest: Digest, address: str) -> None: ...


class Email:
    """SMTP of the connection ``digest_smtp``: host ``smtp://mail.example.com:587``.

    Its extra says ``from``, and ``login`` where the server wants one. The connection is
    encrypted unless the server is this machine or the extra says ``"tls": false``.
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
        """Hand the mail to the server; it has a Message-ID of its own that a retry repeats."""
        mail = self.message(digest, address)
        try:
            with self._connected() as server:
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            told = harmless(str(error), self._connection.secret or "\0")
            raise ExtractionError(
                f"the mail to {digest.csm_id} was not taken: {told[:200]}",
                code="mail_refused",
                where=self._connection.conn_id,
            ) from error

    def message(self, digest: Digest, address: str) -> EmailMessage:
        """Text and HTML of the same digest."""
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
    """A webhook of the connection ``digest_slack``: its password is the whole address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._address = connection.secret or connection.base_url
        if urlsplit(self._address).scheme not in ("http", "https"):
            raise ConfigurationError(
                "needs the webhook's address as its password.", where=connection.conn_id
            )

    def address(self, recipient: Recipient) -> str:
        return recipient.slack

    def send(self, digest: Digest, address: str) -> None:
        """Post it; ``address`` is the channel, which some servers take and Slack itself ignores."""
        message = {"channel": address, **as_slack(digest)}
        try:
            patiently(lambda: self._post(message), budget=PATIENCE)
        except ExtractionError as error:
            raise ExtractionError(
                f"the message to {digest.csm_id} was not taken:"
                f" {harmless(error.message, self._address)}",
                code=error.code,
                where=self._connection.conn_id,
            ) from None

    def _post(self, message: dict[str, object]) -> None:
        try:
            answer = httpx.post(self._address, json=message, timeout=30, follow_redirects=False)
        except httpx.ConnectError as error:
            # It never arrived, so asking again cannot say it twice.
            unreachable = ExtractionError(f"no connection: {error}", code="unreachable")
            raise Transient(unreachable) from None
        except httpx.HTTPError as error:
            raise ExtractionError(f"no answer: {error}", code="unreachable") from None
        if not answer.is_success:
            refused = by_status(Reply(answer.status_code, answer.headers, answer.content))
            raise refused


def opened(names: tuple[str, ...], find: Find) -> dict[str, Channel]:
    """The channels of these names, each with its connection."""
    made: dict[str, Channel] = {}
    for name in names:
        made[name] = Email(find("digest_smtp")) if name == "email" else Slack(find("digest_slack"))
    return made
