"""Write company properties to HubSpot, a hundred companies per request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from retention.errors import ExtractionError
from retention.http.client import Client
from retention.reverse_etl.write_back import Values
from retention.source import Connection
from retention.sources.hubspot.token import client_for

BATCH = 100
OBJECTS = "/crm/v3/objects/companies/batch"
PROPERTIES = "/crm/v3/properties/companies"
KINDS = {"number": "number", "string": "text", "date": "date"}


class HubSpotWriter:
    """``with HubSpotWriter(connection) as writer``; the token needs write access to companies."""

    vendor = "hubspot"

    def __init__(self, connection: Connection) -> None:
        self._client: Client = client_for(connection)

    def __enter__(self) -> HubSpotWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def prepare(self, fields: Mapping[str, tuple[str, str]]) -> list[str]:
        """Create the missing properties and return their names."""
        listed = self._client.get(PROPERTIES, where="hubspot properties").get("results", [])
        known = {each.get("name") for each in listed}
        missing = [name for name in fields if name not in known]
        for name in missing:
            kind, label = fields[name]
            body = {
                "name": name,
                "label": label,
                "type": kind,
                "fieldType": KINDS[kind],
                "groupName": "companyinformation",
            }
            self._client.post(PROPERTIES, body, where=f"hubspot property {name}")
        return missing

    def read(self, ids: Iterable[str], fields: Iterable[str]) -> dict[str, Values]:
        """Return the values of the existing companies; an empty text means no value."""
        names, found = list(fields), {}
        for keys in _batches(ids):
            body = {"properties": names, "inputs": [{"id": key} for key in keys]}
            answer = self._client.post(f"{OBJECTS}/read", body, where=_where("read", keys))
            for doc in answer.get("results", []):
                values = doc.get("properties") or {}
                found[str(doc["id"])] = {name: str(values.get(name) or "") for name in names}
        return found

    def write(self, values: Mapping[str, Values]) -> dict[str, str]:
        """Write the values; return the reason for each rejected company."""
        refused: dict[str, str] = {}
        for keys in _batches(values):
            refused |= self._write(keys, values)
        return refused

    def _write(self, keys: list[str], values: Mapping[str, Values]) -> dict[str, str]:
        body = {"inputs": [{"id": key, "properties": values[key]} for key in keys]}
        try:
            answer = self._client.post(f"{OBJECTS}/update", body, where=_where("update", keys))
        except ExtractionError as error:
            if error.code not in ("bad_request", "not_found"):
                raise
            if len(keys) == 1:
                return {keys[0]: error.message}
            # One invalid company rejects the batch; halving the batch finds it.
            half = len(keys) // 2
            return self._write(keys[:half], values) | self._write(keys[half:], values)
        taken = {str(doc.get("id")) for doc in answer.get("results", [])}
        return {key: _reason(answer, key) for key in keys if key not in taken}


def _reason(answer: Mapping[str, Any], key: str) -> str:
    for error in answer.get("errors") or ():
        if key in (error.get("context") or {}).get("ids", ()):
            return str(error.get("message", ""))[:200]
    return "the response does not confirm it"


def _where(verb: str, keys: list[str]) -> str:
    return f"hubspot {verb} of companies {keys[0]} to {keys[-1]}"


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch
