"""Digests: mails and messages received by real servers, each once a day, to known addresses."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from retention.errors import ConfigurationError
from retention.reverse_etl import sending
from retention.reverse_etl.digest import MOST, as_slack, compose
from retention.reverse_etl.settings import Outbound, read_recipients
from retention.source import Connection
from retention.warehouse import Warehouse
from tests.command_line import retention
from tests.loading import query
from tests.reverse_etl.outbound_setup import BY_MAIL, LINK, SCORES, TEAM
from tests.reverse_etl.outbound_world import CALLS, DAY, UGLY, postbox, show
from tests.vendor_replay import Answer, Replay, Request, json_answer


def outcomes(done: list[sending.Sent]) -> dict[str, str]:
    return {each.csm_id: each.outcome for each in done}


def test_a_digest_arrives_as_text_and_html_with_who_why_what_and_until_when(
    published: Warehouse,
) -> None:
    with postbox() as (box, server):
        done = sending.send_all(published, BY_MAIL, lambda _: server)
    assert outcomes(done) == {"o1": "sent", "o2": "sent"}
    assert box.recipients == ["lina@example.com", "hugo@example.com"]
    mail = box.mails[0]
    assert mail["Subject"] == "2 customers to call, 1 overdue: USD 93,636 a year at risk"
    assert mail["From"] == "Retention <retention@example.com>"
    assert mail["Message-ID"].startswith("<2026-06-30.")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    first = CALLS[0]
    for part in (first["action"], "USD 86,436", "2026-08-01", "overdue since 2026-06-28"):
        assert part in text
        assert part in html
    assert f"1. {UGLY} (Enterprise, health 42, red)" in text
    assert first["reason"] in text
    assert "health unknown" in text
    assert "notice until 2026-06-20 (passed)" in text
    assert "https://bi.example.com/customer/1001" in text
    # A customer's name is text and never markup.
    assert "<script" not in html
    assert "Möller &amp; Söhne &lt;script&gt;" in html
    assert "Flintfield" not in text + html


def test_a_retry_sends_nothing_twice_and_what_was_refused_goes_later(published: Warehouse) -> None:
    with postbox() as (box, server):
        box.refuse = 1
        first = sending.send_all(published, BY_MAIL, lambda _: server)
        again = sending.send_all(published, BY_MAIL, lambda _: server)
        third = sending.send_all(published, BY_MAIL, lambda _: server)
    assert outcomes(first) == {"o1": "failed", "o2": "sent"}
    assert "try again later" in first[0].detail
    assert outcomes(again) == {"o1": "sent", "o2": "already_sent"}
    assert outcomes(third) == {"o1": "already_sent", "o2": "already_sent"}
    assert len(box.mails) == 2
    kept = query(published, "select recipient, status, as_of from ops.outbox order by 1", "loader")
    assert kept == [("o1", "sent", DAY), ("o2", "sent", DAY)]


def test_the_next_day_brings_a_digest_of_its_own(published: Warehouse) -> None:
    with postbox() as (box, server):
        sending.send_all(published, BY_MAIL, lambda _: server)
        show(published, SCORES, date(2026, 7, 1))
        done = sending.send_all(published, BY_MAIL, lambda _: server, only="o1")
    assert outcomes(done) == {"o1": "sent"}
    assert len({mail["Message-ID"] for mail in box.mails}) == 3


def test_what_was_cut_off_while_sending_is_not_repeated_unless_told(published: Warehouse) -> None:
    with published.connect("publisher") as conn:
        conn.execute(
            "insert into ops.outbox (channel, recipient, as_of, publish_id, sha256, status)"
            " values ('email', 'o1', %s, 1, 'x', 'sending')",
            [DAY],
        )
    with postbox() as (box, server):
        done = sending.send_all(published, BY_MAIL, lambda _: server, only="o1")
        assert (outcomes(done), box.mails) == ({"o1": "unsure"}, [])
        done = sending.send_all(published, BY_MAIL, lambda _: server, only="o1", again=True)
    assert outcomes(done) == {"o1": "sent"}


def test_a_webhook_gets_blocks_that_slack_takes_and_is_asked_again_when_busy(
    published: Warehouse,
) -> None:
    def hook(request: Request) -> Answer:
        return Answer(b"", 503) if request.number == 1 else Answer(b"ok")

    with Replay(hook) as server:
        address = server.connection().base_url + "/services/T0/B0/s3cr3t"
        found = Connection("digest_slack", "https://hooks.slack.com", address)
        outbound = Outbound(("slack",), TEAM, LINK)
        done = sending.send_all(published, outbound, lambda _: found)
    assert outcomes(done) == {"o1": "sent", "o2": "no_address"}
    message = server.requests[-1].body
    message = message if isinstance(message, dict) else json.loads(message)
    assert message["channel"] == "#cs-lina"
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds == ["header", "section", "section", "context"]
    told = message["blocks"][1]["text"]["text"]
    assert told.startswith("*<https://bi.example.com/customer/1001|Möller &amp; Söhne &lt;script")
    assert "*Do:* Have your manager write" in told


def test_a_refused_message_never_shows_the_webhooks_address(published: Warehouse) -> None:
    with Replay(lambda request: json_answer({"message": "no"}, 404)) as server:
        address = server.connection().base_url + "/services/s3cr3t"
        found = Connection("digest_slack", "https://hooks.slack.com", address)
        outbound = Outbound(("slack",), TEAM)
        (done, _) = sending.send_all(published, outbound, lambda _: found)
    assert done.outcome == "failed"
    assert "s3cr3t" not in done.detail


def test_a_long_list_stays_within_what_slack_takes(published: Warehouse) -> None:
    digest = compose(published, BY_MAIL, "o1")[0]
    digest.customers.extend(digest.customers[:1] * 60)
    blocks = as_slack(digest)["blocks"]
    assert len(blocks) <= 50
    assert digest.left_out == 62 - MOST


def test_nothing_is_sent_or_written_unless_somebody_says_so(
    published: Warehouse, tmp_path: Path
) -> None:
    assert Outbound.from_env().channels == ()
    settings = published.settings
    assert settings
    here = {"RETENTION_STATE": str(settings.state), "RETENTION_COMPANY": settings.company}
    shown = retention(here, "digest", "--csm", "o2")
    assert (shown.code, "Flintfield Inc." in shown.out) == (0, True)
    refused = retention(here, "digest", "--send")
    assert refused.code == 3
    assert "No channel is enabled" in refused.err
    people = tmp_path / "people.csv"
    people.write_text("csm_id,email,slack\no2,hugo@example.com,\n")
    with postbox() as (box, server):
        fields = {"host": server.base_url, "extra": server.extra}
        env = {
            "RETENTION_DIGEST": "email",
            "RETENTION_DIGEST_RECIPIENTS": str(people),
            "AIRFLOW_CONN_DIGEST_SMTP": json.dumps(fields),
        }
        sent = retention(here | env, "digest", "--send")
    assert sent.code == 0, sent.err
    assert "o2 by email: sent" in sent.out
    assert "o1 by email: no address" in sent.out
    assert [mail["To"] for mail in box.mails] == ["hugo@example.com"]


@pytest.mark.parametrize("line", ["o1,nobody,", ",a@b.example,", "o1,a@b.example\r\nBcc: c@d,"])
def test_a_recipient_that_is_no_plain_address_is_refused_with_its_line(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f'csm_id,email,slack\n"{line.split(",")[0]}","{line.split(",")[1]}",\n')
    with pytest.raises(ConfigurationError, match=r"needs a csm_id") as caught:
        read_recipients(path)
    assert "people.csv line 2" in str(caught.value)
