"""Draft a mapping.yml from a folder: presets of known exports first, guesses for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from retention.sources.files.calculate import parsed
from retention.sources.files.fields import CanonicalField, fields_of, key_of
from retention.sources.files.mapping import FieldRule
from retention.sources.files.profile import Table, grouped, tables
from retention.sources.files.records import RECORDS
from retention.sources.files.values import PERIODS, CellError, country_hint, number

# Words in the name of a file or sheet, most telling first.
_STREAM_WORDS = {
    "churn_events": ("churn", "cancellation"),
    "usage_events": ("usage", "event", "activity"),
    "survey_responses": ("nps", "csat", "survey", "response", "feedback", "answer"),
    "subscriptions": ("subscription", "contract", "plan", "term", "licen", "membership", "abo"),
    "invoices": ("invoice", "bill", "rechnung"),
    "tickets": ("ticket", "case", "support", "issue"),
    "deals": ("deal", "opportunit", "renewal"),
    "meetings": ("meeting", "review", "call"),
    "contacts": ("contact", "people", "person", "user"),
    "goals": ("goal", "objective"),
    "owners": ("owner", "csm", "manager", "rep"),
    "accounts": ("account", "customer", "compan", "client", "kunde", "organi"),
}
_ACCOUNT = "accountid customerid companyid clientid organizationid organisationid orgid account"
# Names of columns, without signs and case, that a field has in exports; the best name first.
_NAMES = {
    "account_id": f"{_ACCOUNT} groupid customer company client kunde customernumber accountnumber",
    "name": "name companyname customername accountname company title fullname",
    "industry": "industry sector vertical",
    "segment": "segment tier plantier customersegment size companysize",
    "plan": "plan planname",
    "country": "country countrycode billingcountry land",
    "region": "region state usstate",
    "owner_id": "ownerid owner csm csmid accountmanager accountowner",
    "signed_up_on": "signupdate signedup signedupon createdat createddate created startedon since",
    "seats": "seats licenses users",
    "parent_account_id": "parentaccountid parentid parent",
    "contact_id": "contactid personid id",
    "email": "email emailaddress mail",
    "role": "role buyingrole",
    "created_on": "createdat createddate created createdon",
    "product": "product plan planname plantier productname package subscriptiontype",
    "starts_on": "startdate starts start startson startedat from validfrom begin signupdate"
    " createdat",
    "ends_on": "enddate ends end endson endedat until validto churndate cancelleddate canceleddate",
    "quantity": "quantity seats licenses usagecount count units",
    "auto_renews": "autorenew autorenewflag autorenews",
    "is_trial": "istrial trial",
    "is_upgrade": "upgradeflag isupgrade",
    "is_downgrade": "downgradeflag isdowngrade",
    "cancellation_reason": "cancellationreason cancelreason churnreason",
    "contract_id": "contractid",
    "currency": "currency currencycode currencyisocode waehrung",
    "invoice_id": "invoiceid invoicenumber id number",
    "total_amount": "totalamount total amount amountdue invoiceamount",
    "paid_amount": "paidamount amountpaid",
    "issued_on": "issuedon invoicedate issuedate date createdat",
    "due_on": "dueon duedate",
    "paid_on": "paidon paiddate paymentdate paidat",
    "ticket_id": "ticketid caseid id number",
    "subject": "subject title",
    "priority": "priority severity",
    "channel": "channel source origin",
    "category": "category type",
    "opened_at": "openedat createdat submittedat created createddate opened date",
    "closed_at": "closedat solvedat resolvedat closeddate closed",
    "resolution_hours": "resolutionhours resolutiontimehours",
    "satisfaction_score": "satisfactionscore csat",
    "deal_id": "dealid opportunityid id",
    "stage": "stage dealstage stagename",
    "amount": "amount dealamount value",
    "closes_on": "closeson closedate expectedclose",
    "is_closed": "isclosed closed",
    "is_won": "iswon won",
    "lost_reason": "lostreason lossreason",
    "response_id": "responseid id answerid surveyid",
    "score": "score rating npsscore nps csat answer",
    "answered_at": "answeredat respondedat submittedat date responsedate createdat surveydate",
    "reason": "reason comment reasoncode feedback",
    "respondent_email": "email respondentemail",
    "event_id": "eventid messageid uuid usageid id",
    "feature": "feature featurename event eventname action activity",
    "user_id": "userid user distinctid",
    "occurred_at": "occurredat timestamp eventtime usagedate eventdate date time",
    "received_at": "receivedat",
    "churn_event_id": "churneventid id",
    "churned_on": "churnedon churndate cancelleddate date",
    "is_reactivation": "isreactivation reactivation",
    "feedback": "feedback feedbacktext comment",
    "meeting_id": "meetingid eventid id",
    "starts_at": "startsat startdatetime start date",
    "goal_id": "goalid id",
    "target": "target targetvalue",
    "current_value": "currentvalue actual current",
    "subscription_id": "subscriptionid subid contractid licenseid",
}
_PRICES = {
    "month": "mrramount mrr monthlyamount monthlyprice monthlyfee pricepermonth monthlycharges",
    "year": "arramount arr annualamount annualprice yearlyprice acv priceperyear annualvalue",
    "": "amount price fee value total unitprice planamount recurringamount charge",
}
_INTERVALS = "billinginterval interval billingfrequency billingperiod billingcycle frequency period"
_PER_UNIT = {"unitprice", "priceperseat", "priceperunit", "unitamount"}
_WORDS_OF_PERIODS = {
    "monthly": "month",
    "months": "month",
    "annual": "year",
    "annually": "year",
    "yearly": "year",
    "years": "year",
    "quarterly": "quarter",
    "weekly": "week",
    "daily": "day",
}
_FORMATS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M"),
    *("%d-%b-%Y", "%b %d, %Y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%m/%d/%Y %H:%M"),
    *("%d/%m/%Y %H:%M", "%Y%m%d"),
)
Rule = dict[str, Any]


@dataclass
class Draft:
    """The rule drafted for one table; ``notes`` says of each field how sure it is."""

    table: Table
    stream: str
    rule: Rule
    origin: str
    notes: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def unread(self) -> list[str]:
        """Return the columns that no field of the draft reads."""
        used = str(self.rule)
        return [column for column in self.table.samples if column not in used]


def draft(root: Path) -> str:
    """Return a mapping for the folder as commented YAML; every file is read or named in it."""
    found = [(table, _drafted(table)) for table in grouped(tables(root))]
    drafts = [each for _, each in found if each is not None]
    _link(drafts)
    _choose(drafts)
    return "\n".join(_lines(root, drafts, [table for table, each in found if each is None])) + "\n"


def _drafted(table: Table) -> Draft | None:
    if table.problem or not table.samples:
        return None
    return _by_preset(table) or _guessed(table)


@cache
def presets() -> dict[str, Rule]:
    """Return the presets of known exports by name."""
    text = Path(__file__).with_name("presets.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _by_preset(table: Table) -> Draft | None:
    matching = [
        (len(preset["header"]), name)
        for name, preset in presets().items()
        if set(preset["header"]) <= set(table.samples)
    ]
    if not matching:
        return None
    name = max(matching)[1]
    preset = presets()[name]
    rule = {key: value for key, value in preset["rule"].items() if key != "fields"}
    calculated = {
        column: text
        for column, text in rule.get("calculate", {}).items()
        if set(parsed(text).columns) <= set(table.samples)
    }
    if "calculate" in rule:
        rule["calculate"] = calculated
    fields = {
        field: origin
        for field, origin in preset["rule"]["fields"].items()
        if _has_columns(origin, table, calculated)
    }
    found = Draft(table, preset["stream"], rule | {"fields": fields}, f"preset {name}")
    for field_name, words in preset.get("ask", {}).items():
        column = _containing(table, words)
        if column and field_name not in fields:
            fields[field_name] = column
            found.notes[field_name] = "guessed"
    return _completed(found)


def _containing(table: Table, words: list[str]) -> str | None:
    columns = (
        column for word in words for column in table.samples if word.lower() in column.lower()
    )
    return next(columns, None)


def _has_columns(origin: Any, table: Table, calculated: dict[str, str]) -> bool:
    rule = FieldRule.model_validate(origin)
    return all(column in table.samples or column in calculated for column in rule.origins)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _guessed(table: Table) -> Draft | None:
    """Return the best guess: the stream named by the file, or the one with the most fields."""
    candidates = [_filled(table, stream) for stream in _streams_named(table.name)]
    whole = [each for each in candidates if not each.missing]
    return next(iter(whole or candidates), None)


def _filled(table: Table, named: str) -> Draft:
    found = Draft(table, named, {"fields": {}}, "guessed")
    for known in fields_of(named).values():
        column = _column_for(named, known, table)
        if column is None:
            continue
        origin, note = _origin(known, column, table)
        if origin is not None:
            found.rule["fields"][known.name] = origin
            found.notes[known.name] = note
    if named == "subscriptions":
        _price(found)
    return _completed(found)


def _streams_named(name: str) -> list[str]:
    """Return the streams that a name speaks of, the most likely first."""
    text = name.lower()
    places = {
        stream: max(text.rfind(word) for word in words) for stream, words in _STREAM_WORDS.items()
    }
    named = [stream for stream in places if places[stream] >= 0]
    # In "customer_contracts" the last word says what the rows are; churn is said first.
    return sorted(named, key=lambda each: (each != "churn_events", -places[each]))


def _column_for(stream: str, known: CanonicalField, table: Table) -> str | None:
    if stream == "subscriptions" and known.name == "mrr_amount":
        return None
    names = _NAMES.get(known.name, _plain(known.name)).split()
    if known.name == key_of(stream):
        # "company" beside "id" is the name of a customer.
        ids = [name for name in names if name.endswith(("id", "number"))]
        names = [_plain(known.name), *ids, "id", *names]
    plain = {_plain(column.rpartition(".")[2]): column for column in table.samples}
    plain |= {_plain(column): column for column in table.samples}
    return next((plain[name] for name in names if name in plain), None)


def _origin(known: CanonicalField, column: str, table: Table) -> tuple[Any, str]:
    """Return how a column fills a field, or None if its values are of another kind."""
    samples = table.samples[column]
    if known.kind in {"money", "decimal", "integer", "rate"}:
        return _numeric(column, samples)
    if known.kind in {"date", "timestamp"}:
        return _dated(column, samples)
    if known.kind == "country":
        return _country(column, samples)
    return _words(known, column, samples) if known.kind == "word" else (column, "")


def _dated(column: str, samples: list[str]) -> tuple[Any, str]:
    texts = samples[:200]
    if not texts or all(_is_iso(text) for text in texts):
        return column, ""
    fitting = [form for form in _FORMATS if all(_fits(text, form) for text in texts)]
    if fitting:
        note = f"also fits {fitting[1]}" if len(fitting) > 1 else ""
        return {"column": column, "format": fitting[0]}, note
    several = [form for form in ("%Y-%m-%d", *_FORMATS) if any(_fits(text, form) for text in texts)]
    if several and all(any(_fits(text, form) for form in several) for text in texts):
        return {"column": column, "format": several}, "several forms in one column"
    return column, f"not understood: {texts[0]!r}"


def _is_iso(text: str) -> bool:
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return False
    with suppress(ValueError):
        datetime.fromisoformat(text)
        return True
    return False


def _fits(text: str, form: str) -> bool:
    with suppress(ValueError):
        datetime.strptime(text, form)  # noqa: DTZ007 - only tests the format
        return True
    return False


def _numeric(column: str, samples: list[str]) -> tuple[Any, str]:
    signs = sorted({each for text in samples for each in re.findall(r"[^\d\s.,+'eE()-]+", text)})
    options: tuple[Rule, ...] = (
        {},
        {"thousands": ","},
        {"decimal": ",", "thousands": "."},
        {"decimal": ",", "thousands": " "},
        {"thousands": "'"},
    )
    for option in options:
        chosen = option | ({"remove": signs} if 0 < len(signs) < 3 else {})
        if all(_is_number(text, chosen) for text in samples):
            return ({"column": column, **chosen} if chosen else column), ""
    return None, ""


def _is_number(text: str, option: Rule) -> bool:
    decimal, thousands = option.get("decimal", "."), option.get("thousands")
    try:
        number(text, decimal=decimal, thousands=thousands, remove=tuple(option.get("remove", ())))
    except CellError:
        return False
    return True


def _country(column: str, samples: list[str]) -> tuple[Any, str]:
    swaps = {text: right for text in sorted(set(samples)) if (right := country_hint(text))}
    return ({"column": column, "map": swaps} if swaps else column), ""


def _words(known: CanonicalField, column: str, samples: list[str]) -> tuple[Any, str]:
    given = sorted(set(samples))
    if all(text in known.words for text in given):
        return column, ""
    swaps = {text: low for text in given if (low := text.lower().replace(" ", "_")) in known.words}
    left = [text for text in given if text not in swaps and text not in known.words]
    note = f"map these too: {', '.join(left[:8])}" if left else ""
    origin: Rule = {"column": column, "map": swaps | dict.fromkeys(left[:30])}
    return (origin, note) if len(given) <= 30 else (None, "")


def _price(found: Draft) -> None:
    """Add the monthly price of a term: stated, yearly, per interval or per unit."""
    plain = {_plain(column): column for column in found.table.samples}
    for per, names in _PRICES.items():
        name = next((each for each in names.split() if each in plain), None)
        if name is None:
            continue
        origin, note = _numeric(plain[name], found.table.samples[plain[name]])
        if origin is None:
            continue
        rule: Rule = {"column": origin} if isinstance(origin, str) else dict(origin)
        if per:
            found.rule["fields"]["mrr_amount"] = (
                rule | {"per": per} if per != "month" else rule if len(rule) > 1 else rule["column"]
            )
            found.notes["mrr_amount"] = note
            return
        _per_interval(found, rule, name in _PER_UNIT)
        return


def _per_interval(found: Draft, rule: Rule, per_unit: bool) -> None:
    plain = {_plain(column): column for column in found.table.samples}
    every = next((plain[each] for each in _INTERVALS.split() if each in plain), None)
    note = "guessed: is the price per month, per year, per seat?"
    if per_unit and "quantity" in found.rule["fields"]:
        quantity = FieldRule.model_validate(found.rule["fields"]["quantity"]).column
        product = f'number("{rule["column"]}") * number("{quantity}")'
        found.rule["calculate"] = {"charged": product}
        rule = {"column": "charged"}
    if every:
        words = {text for text in found.table.samples[every] if text.lower() not in PERIODS}
        swaps = {t: to for t in sorted(words) if (to := _WORDS_OF_PERIODS.get(t.lower()))}
        interval = {"column": every, **({"map": swaps} if swaps else {})}
        rule, note = rule | {"per": "interval", "interval": interval}, "guessed: check the period"
    found.rule["fields"]["mrr_amount"] = rule
    found.notes["mrr_amount"] = note


def _completed(found: Draft) -> Draft:
    """Fill in what no column states, and list what is missing."""
    fields, known = found.rule["fields"], fields_of(found.stream)
    key = key_of(found.stream)
    if key not in fields and found.stream == "subscriptions":
        parts = [fields.get(each) for each in ("account_id", "product", "starts_on")]
        columns = [FieldRule.model_validate(each).column for each in parts if each]
        if len(columns) > 1:
            fields[key] = {"columns": columns}
            found.notes[key] = "guessed: the file has no id; these columns tell its rows apart"
    if "currency" in known and known["currency"].required and "currency" not in fields:
        fields["currency"] = {"value": _currency(found.table)}
        found.notes["currency"] = "guessed: no column states the currency"
    if found.stream == "survey_responses" and "survey" not in fields:
        fields["survey"] = {"value": "nps"}
        found.notes["survey"] = "guessed: nps, csat or ces?"
    ordered = {name: fields[name] for name in known if name in fields}
    found.rule["fields"] = ordered
    found.missing = tuple(
        each.name for each in known.values() if each.required and each.name not in ordered
    )
    return found


def _currency(table: Table) -> str:
    for code in ("EUR", "GBP", "CHF", "DKK", "SEK", "NOK"):
        if any(
            re.search(rf"(^|[^a-z]){code.lower()}($|[^a-z])", name.lower())
            for name in table.samples
        ):
            return code
    return "USD"


def _link(drafts: list[Draft]) -> None:
    """Find the account of rows that name only a subscription."""
    subscriptions = next((each for each in drafts if each.stream == "subscriptions"), None)
    for each in drafts:
        if each.missing != ("account_id",) or subscriptions is None:
            continue
        plain = {_plain(column): column for column in each.table.samples}
        column = plain.get("subscriptionid")
        key = FieldRule.model_validate(subscriptions.rule["fields"]["subscription_id"]).column
        account = FieldRule.model_validate(subscriptions.rule["fields"]["account_id"]).column
        if column and key and account:
            lookup = {"file": subscriptions.table.file, "match": key, "take": account}
            if subscriptions.table.form.delimiter != ",":
                lookup["delimiter"] = subscriptions.table.form.delimiter
            fields = {"account_id": {"column": column, "lookup": lookup}, **each.rule["fields"]}
            each.rule["fields"] = {
                name: fields[name] for name in fields_of(each.stream) if name in fields
            }
            each.notes["account_id"], each.missing = "guessed: of its subscription", ()


def _choose(drafts: list[Draft]) -> None:
    """Order the drafts by stream; of two tables for one stream the fuller one leads."""
    order = list(RECORDS)
    drafts.sort(
        key=lambda each: (order.index(each.stream), len(each.missing), -len(each.rule["fields"]))
    )


def _lines(root: Path, drafts: list[Draft], unread: list[Table]) -> Iterator[str]:
    yield f"# Drafted from the files of {root.name}. Check every line that says guessed, then run"
    yield "#     retention files check <folder>    and    retention files preview <folder>"
    yield "time_zone: UTC  # guessed: the zone of times without one, such as Europe/Berlin"
    yield "streams:"
    whole = [each for each in drafts if not each.missing]
    if not whole:
        yield "  {}  # no file has the required fields of a stream; see below"
    for stream in dict.fromkeys(each.stream for each in whole):
        yield from _stream_lines(stream, [each for each in whole if each.stream == stream])
    for each in drafts:
        if each.missing:
            label, missing = each.table.form.label(each.table.pattern), ", ".join(each.missing)
            yield f"# {label}: {each.stream}? Missing: {missing}."
            yield f"#   Its columns: {', '.join(each.table.samples)}"
    for table in unread:
        columns = ", ".join(table.samples)
        reason = table.problem or f"no stream is recognised. Its columns: {columns}"
        yield f"# {table.form.label(table.pattern)}: not read; {reason}"


def _stream_lines(stream: str, drafts: list[Draft]) -> Iterator[str]:
    first, *more = drafts
    yield from (f"  {stream}:  # {first.origin}", *_rule_lines(first, 4))
    if more and stream == "usage_events":
        files = ", ".join(each.table.pattern for each in more)
        yield f"    # usage events have one rule; not read: {files}"
        return
    if more:
        yield "    also:"
    for each in more:
        head, *rest = _rule_lines(_apart(each, first), 8)
        yield from (f"      - {head.strip()}  # {each.origin}", *rest)


def _apart(found: Draft, first: Draft) -> Draft:
    """Return a further rule that takes nothing over from the first one of its stream."""
    dropped = dict.fromkeys(set(first.rule["fields"]) - set(found.rule["fields"]))
    rule = found.rule | {"fields": found.rule["fields"] | dict(sorted(dropped.items()))}
    for name in ("only", "skip"):
        if name in first.rule:
            rule.setdefault(name, {})
    if calculated := dict.fromkeys(first.rule.get("calculate", {})):
        rule["calculate"] = calculated | found.rule.get("calculate", {})
    return replace(found, rule=rule)


def _rule_lines(found: Draft, indent: int) -> Iterator[str]:
    space, form = " " * indent, found.table.form
    yield f"{space}file: {_flow(found.table.pattern)}"
    settings = {"sheet": form.sheet, "encoding": form.encoding, "delimiter": form.delimiter}
    usual = {"sheet": None, "encoding": "utf-8", "delimiter": ","}
    for name, value in settings.items():
        # A further rule states all settings, because it would take over those of the first.
        if value and (value != usual[name] or indent > 4):
            yield f"{space}{name}: {_flow(value)}"
    for name in ("only", "skip", "calculate"):
        if name in found.rule:
            yield f"{space}{name}: {_flow(found.rule[name])}"
    yield f"{space}fields:"
    for name, origin in found.rule["fields"].items():
        note = found.notes.get(name) or ("guessed" if found.origin == "guessed" else "")
        yield f"{space}  {name}: {_flow(origin)}{f'  # {note}' if note else ''}"
    if found.unread:
        yield f"{space}# not read: {', '.join(found.unread)}"


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()
