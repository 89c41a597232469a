"""Renew HubSpot's token and classify its refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention.errors import ConfigurationError, ExtractionError
from retention.http.client import Client
from retention.http.responses import Refusal, Reply, by_status
from retention.http.retry import Transient, vendor_clock
from retention.source import Connection

# Seconds until the two short rate limits reset.
_SHORT_LIMITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}
_OAUTH = ("refresh_token", "client_id", "client_secret")


def client_for(connection: Connection) -> Client:
    """Return a client with the connection's token; an OAuth token is renewed once."""
    return Client(
        connection,
        headers=lambda secret: {"Authorization": f"Bearer {secret}"},
        refusal=_refusal(_portal_zone(connection)),
        renew=_renewal(connection),
    )


def _portal_zone(connection: Connection) -> ZoneInfo:
    name = str(connection.extra.get("portal_timezone", "UTC"))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"portal_timezone is {name!r}, which is not a time zone.", where=connection.conn_id
        ) from error


def _refusal(zone: ZoneInfo) -> Refusal:
    def refusal(reply: Reply) -> ExtractionError | Transient | None:
        policy = reply.fields().get("policyName") if reply.status == 429 else None
        if policy == "DAILY":
            # No request succeeds before midnight, so a worker must not wait for it.
            reset = _midnight(vendor_clock(reply.headers.get("date")), zone)
            return ExtractionError(
                f"the daily quota is used up; it resets at {reset.isoformat()}.",
                code="rate_limited",
                hint="Run the load again after that time.",
            )
        asked = by_status(reply)
        if policy in _SHORT_LIMITS and isinstance(asked, Transient) and asked.wait is None:
            return Transient(asked.error, _SHORT_LIMITS[policy])
        return None

    return refusal


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    day = (now.astimezone(zone) + timedelta(days=1)).date()
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _renewal(connection: Connection) -> Callable[[Client], str] | None:
    if not all(connection.extra.get(name) for name in _OAUTH):
        return None

    def renew(client: Client) -> str:
        fields = {name: str(connection.extra[name]) for name in _OAUTH}
        answer = client.form("/oauth/v1/token", {"grant_type": "refresh_token"} | fields)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise ExtractionError("the token renewal returned no token.", code="unauthorized")
        return token

    return renew
