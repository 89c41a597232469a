"""What leaves the warehouse: mails, messages and CRM values, received by real servers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from demo.servers.app import Servers, serve
from retention.errors import ConfigurationError, ExtractionError
from retention.outbound import sending, write_back
from retention.outbound.digest import MOST, as_slack, compose
from retention.outbound.hubspot import HubSpotWriter
from retention.outbound.settings import Outbound, Recipient, read_recipients
from retention.sources.base import Connection
from retention.warehouse import Warehouse
from tests.command_line import retention
from tests.demo_servers.small_world import AS_OF, crm_client, small_world
from tests.loading import query
from tests.outbound_world import CALLS, DAY, UGLY, postbox, show
from tests.vendor_replay import Answer, Asked, Replay, said

LINK = "https://bi.example.com/customer/{customer_id}"
TEAM = {"o1": Recipient("lina@example.com", "#cs-lina"), "o2": Recipient("hugo@example.com")}
BY_MAIL = Outbound(("email",), TEAM, LINK)
SCORES = {
    "1001": ("41.50", "red", "an invoice is 31 days past due"),
    "1002": ("", "unknown", ""),
    "1003": ("68.27", "yellow", "one respondent's score fell by 3"),
    "1004": ("", "", ""),
}


@pytest.fixture
def published(warehouse: Warehouse) -> Warehouse:
    show(warehouse, SCORES)
    return warehouse


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
    def hook(asked: Asked) -> Answer:
        return Answer(b"", 503) if asked.number == 1 else Answer(b"ok")

    with Replay(hook) as server:
        address = server.connection().base_url + "/services/T0/B0/s3cr3t"
        found = Connection("digest_slack", "https://hooks.slack.com", address)
        outbound = Outbound(("slack",), TEAM, LINK)
        done = sending.send_all(published, outbound, lambda _: found)
    assert outcomes(done) == {"o1": "sent", "o2": "no_address"}
    message = server.asked[-1].body
    message = message if isinstance(message, dict) else json.loads(message)
    assert message["channel"] == "#cs-lina"
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds == ["header", "section", "section", "context"]
    told = message["blocks"][1]["text"]["text"]
    assert told.startswith("*<https://bi.example.com/customer/1001|Möller &amp; Söhne &lt;script")
    assert "*Do:* Have your manager write" in told


def test_a_refused_message_never_shows_the_webhooks_address(published: Warehouse) -> None:
    with Replay(lambda asked: said({"message": "no"}, 404)) as server:
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
    assert "no channel is switched on" in refused.err
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


# --- the CRM -------------------------------------------------------------------------------


@pytest.fixture
def crm(tmp_path: Path) -> Any:
    with serve(small_world(), AS_OF, folder=tmp_path) as running:
        yield running


def writer(servers: Servers) -> HubSpotWriter:
    return HubSpotWriter(
        Connection("hubspot_api", servers.urls["hubspot"], servers.tokens["hubspot"])
    )


def in_crm(servers: Servers, company: str) -> dict[str, str]:
    found = crm_client(servers).crm.companies.basic_api.get_by_id(
        company, properties=list(write_back.FIELDS)
    )
    return {name: found.properties.get(name) or "" for name in write_back.FIELDS}


def test_writing_back_twice_changes_nothing_the_second_time(
    published: Warehouse, crm: Servers
) -> None:
    with writer(crm) as hubspot:
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert set(planned.companies) == {"1001", "1002", "1003"}
        assert planned.unknown == ["1002"]
        assert "1 are of band unknown" in planned.summary()
        assert write_back.apply(hubspot, planned) == 3
        second = write_back.plan(published, BY_MAIL, hubspot)
        assert second.changes == []
        assert write_back.apply(hubspot, second) == 0
    assert in_crm(crm, "1001") == {
        "retention_health_score": "41.50",
        "retention_health_band": "red",
        "retention_top_reason": "an invoice is 31 days past due",
        "retention_as_of": "2026-06-30",
        "retention_link": "https://bi.example.com/customer/1001",
    }
    unknown = in_crm(crm, "1002")
    assert (unknown["retention_health_score"], unknown["retention_health_band"]) == ("", "unknown")
    defined = crm_client(crm).crm.properties.core_api.get_all("companies").results
    assert set(write_back.FIELDS) <= {each.name for each in defined}


def test_only_what_changed_is_written_and_the_day_alone_is_no_news(
    published: Warehouse, crm: Servers
) -> None:
    with writer(crm) as hubspot:
        write_back.apply(hubspot, write_back.plan(published, BY_MAIL, hubspot))
        worse = SCORES | {"1003": ("60.00", "yellow", "one respondent's score fell by 3")}
        show(published, worse, date(2026, 7, 1))
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert planned.companies == {
            "1003": {"retention_health_score": "60.00", "retention_as_of": "2026-07-01"}
        }
        # A customer that left loses what the CRM still says, day included.
        show(published, SCORES | {"1001": ("", "", "")}, date(2026, 7, 2))
        gone = write_back.plan(published, BY_MAIL, hubspot).companies["1001"]
        assert gone == dict.fromkeys(write_back.FIELDS, "")
        # A week later the day is written, so that nobody takes it for dead.
        show(published, SCORES, date(2026, 7, 7))
        later = write_back.plan(published, BY_MAIL, hubspot).companies
        assert later["1001"] == {"retention_as_of": "2026-07-07"}


def test_a_company_that_the_crm_does_not_know_is_named_and_the_others_are_written(
    published: Warehouse, crm: Servers
) -> None:
    # 1007 is archived in the CRM.
    show(published, SCORES | {"1007": ("50.00", "red", "x")}, date(2026, 7, 1))
    with writer(crm) as hubspot:
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert planned.missing == ["1007"]
        assert "not in the CRM: 1007" in planned.summary()
        assert write_back.apply(hubspot, planned) == 3
        # Archived between the plan and the writing.
        late = {"1003": {"retention_health_band": "red"}, "1007": {"retention_health_band": "red"}}
        refused = hubspot.write(late)
    assert list(refused) == ["1007"]
    assert in_crm(crm, "1003")["retention_health_band"] == "red"


def test_a_busy_crm_is_asked_again_and_a_bad_company_is_found_in_its_batch() -> None:
    def vendor(asked: Asked) -> Answer:
        if asked.number == 1:
            return said({"message": "slow down"}, 429, Retry_After="0.1")
        if asked.number == 2:
            return Answer(b"", 502)
        body = asked.body if isinstance(asked.body, dict) else json.loads(asked.body)
        ids = [each["id"] for each in body["inputs"]]
        if "5" in ids:
            return said({"status": "error", "message": "not a number", "category": "V"}, 400)
        return said({"status": "COMPLETE", "results": [{"id": key} for key in ids]})

    with Replay(vendor) as server, HubSpotWriter(server.connection()) as hubspot:
        values = {str(n): {"retention_health_band": "red"} for n in range(10)}
        refused = hubspot.write(values)
    assert list(refused) == ["5"]
    assert "not a number" in refused["5"]


def test_only_what_somebody_agreed_to_is_written(published: Warehouse, crm: Servers) -> None:
    with writer(crm) as hubspot:
        agreed = write_back.as_documents(write_back.plan(published, BY_MAIL, hubspot))
        worse = SCORES | {"1003": ("60.00", "yellow", "one respondent's score fell by 3")}
        show(published, worse, DAY)
        fresh = write_back.plan(published, BY_MAIL, hubspot)
        kept = write_back.only_agreed(fresh, agreed)
    assert "retention_health_score" not in kept.companies["1003"]
    assert kept.companies["1001"]["retention_health_score"] == "41.50"


def test_the_command_shows_the_difference_and_writes_only_when_told(
    published: Warehouse, crm: Servers
) -> None:
    settings = published.settings
    assert settings
    host = {"host": crm.urls["hubspot"], "password": crm.tokens["hubspot"]}
    here = {
        "RETENTION_STATE": str(settings.state),
        "RETENTION_COMPANY": settings.company,
        "AIRFLOW_CONN_HUBSPOT_API": json.dumps(host),
    }
    shown = retention(here, "write-back")
    assert shown.code == 0, shown.err
    assert "41.50" in shown.out
    assert "Nothing was written" in shown.out
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    assert "3 companies were written" in retention(here, "write-back", "--apply").out
    assert "0 companies were written" in retention(here, "write-back", "--apply").out


def test_a_refusal_names_the_company() -> None:
    class Refusing:
        vendor = "hubspot"

        def prepare(self, fields: Any) -> list[str]:
            return []

        def read(self, ids: Any, fields: Any) -> dict[str, write_back.Values]:
            return {}

        def write(self, values: Any) -> dict[str, str]:
            return {"1001": "no such company"}

    change = write_back.Change("1001", "x", "retention_health_band", "", "red")
    with pytest.raises(ExtractionError, match="company 1001: no such company"):
        write_back.apply(Refusing(), write_back.Plan(DAY, [change], 1))


# --- Airflow's tasks -----------------------------------------------------------------------


@pytest.fixture
def airflow_connections(
    published: Warehouse, crm: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment in which a worker runs the tasks of `outbound`."""
    settings = published.settings
    assert settings
    host = {"conn_type": "generic", "host": crm.urls["hubspot"], "password": crm.tokens["hubspot"]}
    monkeypatch.setenv("RETENTION_STATE", str(settings.state))
    monkeypatch.setenv("RETENTION_COMPANY", settings.company)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", published.url)
    monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_API", json.dumps(host))


def test_the_dags_tasks_plan_then_write_what_was_agreed_and_then_have_nothing_to_do(
    airflow_connections: None, crm: Servers
) -> None:
    from retention_airflow import apply_write_back, plan_write_back

    agreed = plan_write_back.function()
    assert agreed
    assert "of 3 companies would change" in agreed["summary"]
    assert json.loads(json.dumps(agreed)) == agreed
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    assert apply_write_back.function(agreed) == 3
    assert in_crm(crm, "1001")["retention_health_band"] == "red"
    assert plan_write_back.function() is None
    assert apply_write_back.function(agreed) == 0


def test_the_dags_digest_task_is_silent_until_switched_on_and_fails_when_a_mail_was_refused(
    airflow_connections: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retention_airflow import FAILURES, PROGRESS, send_digests

    heard: list[str] = []
    monkeypatch.setattr("retention_airflow.PROGRESS", [*PROGRESS, heard.append])
    send_digests.function()
    assert heard == ["no digest is switched on"]
    people = tmp_path / "people.csv"
    people.write_text("csm_id,email,slack\no1,lina@example.com,\no2,hugo@example.com,\n")
    monkeypatch.setenv("RETENTION_DIGEST", "email")
    monkeypatch.setenv("RETENTION_DIGEST_RECIPIENTS", str(people))
    with postbox() as (box, server):
        box.refuse = 1
        fields = {"conn_type": "generic", "host": server.base_url, "extra": server.extra}
        monkeypatch.setenv("AIRFLOW_CONN_DIGEST_SMTP", json.dumps(fields))
        with pytest.raises(ExtractionError, match="1 of 2 digests were not sent"):
            send_digests.function()
        FAILURES.clear()
        send_digests.function()
    assert sorted(mail["To"] for mail in box.mails) == ["hugo@example.com", "lina@example.com"]
