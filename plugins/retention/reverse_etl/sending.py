"""Send each digest once: record it before and after sending."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Connection as Database

from retention.errors import RetentionError
from retention.reverse_etl import reading
from retention.reverse_etl.channels import Channel, opened
from retention.reverse_etl.digest import Digest, compose, fingerprint
from retention.reverse_etl.settings import Find, Outbound, Recipient
from retention.warehouse import Warehouse


@dataclass(frozen=True)
class Sent:
    """The result of one digest on one channel: sent, already_sent, no_address, unsure, failed."""

    csm_id: str
    channel: str
    outcome: str
    detail: str = ""

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.csm_id} by {self.channel}: {self.outcome.replace('_', ' ')}{detail}"


def send_all(
    wh: Warehouse, outbound: Outbound, find: Find, *, only: str | None = None, again: bool = False
) -> list[Sent]:
    """Send every digest of the published day that was not sent yet.

    Idempotent. A rejected digest does not stop the others; the next call retries it. A digest whose
    sending was interrupted is repeated only with ``again``.
    """
    publish_id = reading.current(wh)["publish_id"]
    channels = opened(outbound.channels, find)
    done = []
    for digest in compose(wh, outbound, only):
        recipient = outbound.recipients.get(digest.csm_id, Recipient())
        for name, channel in channels.items():
            outcome, detail = _send(wh, publish_id, name, channel, digest, recipient, again)
            done.append(Sent(digest.csm_id, name, outcome, detail))
    return done


def _send(  # noqa: PLR0913 - one digest and its destination
    wh: Warehouse,
    publish_id: int,
    name: str,
    channel: Channel,
    digest: Digest,
    recipient: Recipient,
    again: bool,
) -> tuple[str, str]:
    address = channel.address(recipient)
    if not address:
        return "no_address", "the recipients file has no address"
    with wh.connect("publisher") as conn:
        wh.lock(conn, f"outbox {name} {digest.csm_id}")
        known = _known(conn, name, digest)
        if known == "sent":
            return "already_sent", f"for {digest.as_of}"
        if known == "sending" and not again:
            return "unsure", "an earlier run was interrupted while sending; --again sends it"
        with wh.connect("publisher") as notes:
            _note(notes, publish_id, name, digest, "sending")
        try:
            channel.send(digest, address)
        except RetentionError as error:
            with wh.connect("publisher") as notes:
                _note(notes, publish_id, name, digest, "failed", error.message)
            return "failed", str(error)
        with wh.connect("publisher") as notes:
            _note(notes, publish_id, name, digest, "sent")
    return "sent", ""


def _known(conn: Database, name: str, digest: Digest) -> str | None:
    row = conn.execute(
        "select status from ops.outbox where channel = %s and recipient = %s and as_of = %s",
        [name, digest.csm_id, digest.as_of],
    ).fetchone()
    return str(row[0]) if row else None


def _note(
    conn: Database, publish_id: int, name: str, digest: Digest, status: str, error: str = ""
) -> None:
    conn.execute(
        """
        insert into ops.outbox (channel, recipient, as_of, publish_id, sha256, status, error)
        values (%s, %s, %s, %s, %s, %s, nullif(%s, ''))
        on conflict (channel, recipient, as_of) do update set
            publish_id = excluded.publish_id, sha256 = excluded.sha256,
            status = excluded.status, error = excluded.error, attempted_at = clock_timestamp()
        """,
        [name, digest.csm_id, digest.as_of, publish_id, fingerprint(digest), status, error],
    )
