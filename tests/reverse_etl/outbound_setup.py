"""Who gets what, and a CRM to write to."""

from __future__ import annotations

from demo.servers.app import Servers
from retention.reverse_etl import write_back
from retention.reverse_etl.settings import Outbound, Recipient
from tests.demo.servers.small_world import crm_client

LINK = "https://bi.example.com/customer/{customer_id}"

TEAM = {"o1": Recipient("lina@example.com", "#cs-lina"), "o2": Recipient("hugo@example.com")}
BY_MAIL = Outbound(("email",), TEAM, LINK)
SCORES = {
    "1001": ("41.50", "red", "an invoice is 31 days past due"),
    "1002": ("", "unknown", ""),
    "1003": ("68.27", "yellow", "one respondent's score fell by 3"),
    "1004": ("", "", ""),
}


def in_crm(servers: Servers, company: str) -> dict[str, str]:
    found = crm_client(servers).crm.companies.basic_api.get_by_id(
        company, properties=list(write_back.FIELDS)
    )
    return {name: found.properties.get(name) or "" for name in write_back.FIELDS}
