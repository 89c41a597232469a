"""From draws to a table of usage events, all customers at once and without a Python loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demo.company.clock import DAY, Clock, offset

# event name, share of all events, the most its quantity can be (0: none), how it takes mood
FEATURES = (
    ("logged_in", 0.24, 0, -0.2),
    ("dashboard_viewed", 0.17, 0, 0.0),
    ("report_viewed", 0.13, 0, 0.1),
    ("record_edited", 0.14, 40, 0.1),
    ("search_used", 0.08, 0, -0.1),
    ("data_exported", 0.05, 5000, 0.0),
    ("automation_run", 0.07, 60, 0.6),
    ("integration_synced", 0.04, 800, 0.5),
    ("api_called", 0.05, 300, 0.5),
    ("user_invited", 0.01, 0, 0.7),
    ("settings_changed", 0.013, 0, 0.0),
    ("billing_page_viewed", 0.007, 0, -0.7),
)
LATE_SHARE, TWICE_SHARE = 0.005, 0.0012
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
Words = np.ndarray | np.uint64
HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


@dataclass(frozen=True, slots=True)
class Draws:
    """One customer's events: which user, which day, and 64 random bits each."""

    company: str
    zone: str
    users: list[str]
    user: np.ndarray
    day: np.ndarray
    words: np.ndarray
    mood: np.ndarray


def hashed(seed: Words, number: Words) -> np.ndarray:
    """Well mixed 64 bits of a seed and a number (splitmix64)."""
    with np.errstate(over="ignore"):
        word = np.asarray(seed + (number + np.uint64(1)) * GOLDEN)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(word ^ (word >> np.uint64(31)))


def uniform(words: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) from 64 random bits."""
    return (words >> np.uint64(11)) * 2.0**-53


def event_table(drawn: list[Draws], clock: Clock, until: int) -> pa.Table:
    """The events as PostHog received them before ``until``, re-sent ones included."""
    words = np.concatenate([d.words for d in drawn])
    stamps = np.concatenate([timestamps(d, clock) for d in drawn])
    features = pick_features(words, np.concatenate([d.mood for d in drawn]))
    received = received_at(words, stamps)
    order, received = with_twins(words, received, until * 1000)
    people = pa.concat_arrays(
        [pa.array(d.users, pa.string()).take(pa.array(d.user)) for d in drawn]
    )
    sizes = [len(d.words) for d in drawn]
    companies = pa.array([d.company for d in drawn], pa.string()).take(
        pa.array(np.repeat(np.arange(len(drawn)), sizes))
    )
    rows = pa.array(order)
    utc = pa.timestamp("ms", "UTC")
    return pa.table({
        "uuid": uuids(words[order]),
        "event": pa.array([f[0] for f in FEATURES]).take(pa.array(features[order])),
        "distinct_id": people.take(rows),
        "company_id": companies.take(rows),
        "timestamp": pa.array(stamps[order], utc),
        "received_at": pa.array(received, utc),
        "properties": properties(words[order], features[order], companies.take(rows)),
    })  # fmt: skip


def timestamps(drawn: Draws, clock: Clock) -> np.ndarray:
    """Milliseconds: around office hours of the customer's own time zone."""
    spread = uniform(hashed(drawn.words, np.uint64(11))) + uniform(
        hashed(drawn.words, np.uint64(12))
    )
    local = ((7.0 + 5.5 * spread) * 3_600_000).astype(np.int64)
    first, last = int(drawn.day.min(initial=0)), int(drawn.day.max(initial=0))
    ahead = np.array([offset(drawn.zone, clock.date(day)) for day in range(first, last + 1)])
    # As in Clock.office: the moment stays within the UTC day.
    second = (local - ahead[drawn.day - first] * 1000) % (DAY * 1000)
    return np.asarray((clock.zero + drawn.day * DAY) * 1000 + second)


def pick_features(words: np.ndarray, mood: np.ndarray) -> np.ndarray:
    """Which feature: the advanced ones need content users, the billing page unhappy ones."""
    tilt = np.exp((mood - 7.0)[:, None] * 0.35 * np.array([f[3] for f in FEATURES])[None, :])
    weights = np.cumsum(tilt * np.array([f[1] for f in FEATURES])[None, :], axis=1)
    mark = uniform(hashed(words, np.uint64(13))) * weights[:, -1]
    return np.asarray(np.minimum((weights <= mark[:, None]).sum(axis=1), len(FEATURES) - 1))


def received_at(words: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    """Seconds later as a rule; one in two hundred minutes to three days later."""
    delay = 400 + uniform(hashed(words, np.uint64(14))) * 45_000
    slow = np.exp(np.log(180_000.0) + uniform(hashed(words, np.uint64(15))) * np.log(1440.0))
    late = uniform(hashed(words, np.uint64(16))) < LATE_SHARE
    return stamps + np.where(late, slow, delay).astype(np.int64)


def with_twins(
    words: np.ndarray, received: np.ndarray, until: int
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers and arrival times in order of arrival, some rows a second time."""
    twice = np.nonzero(uniform(hashed(words, np.uint64(17))) < TWICE_SHARE)[0]
    again = uniform(hashed(words[twice], np.uint64(18))) ** 3 * 40 * 3_600_000 + 30_000
    rows = np.concatenate([np.arange(len(words)), twice])
    arrived = np.concatenate([received, received[twice] + again.astype(np.int64)])
    kept = arrived < until
    rows, arrived = rows[kept], arrived[kept]
    # The event's own bits break ties, so that the order does not hang on the history's length.
    order = np.lexsort((words[rows], arrived))
    return rows[order], arrived[order]


def uuids(words: np.ndarray) -> pa.Array:
    """Version 4 identifiers, 36 characters each."""
    pair = np.stack([hashed(words, np.uint64(21)), hashed(words, np.uint64(22))], axis=1)
    octets = pair.astype(">u8").view(np.uint8).reshape(len(words), 16)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    text = np.full((len(words), 36), ord("-"), np.uint8)
    places = [p for p in range(36) if p not in (8, 13, 18, 23)]
    text[:, places[0::2]] = HEX[octets >> 4]
    text[:, places[1::2]] = HEX[octets & 15]
    offsets = np.arange(0, 36 * (len(words) + 1), 36, dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(words), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text.tobytes())
    )


def properties(words: np.ndarray, features: np.ndarray, companies: pa.Array) -> pa.Array:
    """PostHog's properties as JSON text; a quantity where the feature has one."""
    most = np.array([f[2] for f in FEATURES])[features]
    quantity = 1 + (uniform(hashed(words, np.uint64(19))) ** 3 * most).astype(np.int64)
    counted = pc.binary_join_element_wise(',"quantity":', pa.array(quantity).cast(pa.string()), "")
    suffix = pc.if_else(pa.array(most > 0), counted, "")
    feature = pa.array([f[0] for f in FEATURES]).take(pa.array(features))
    return pc.binary_join_element_wise(
        '{"$lib":"web","$groups":{"company":"', companies, '"},"feature":"', feature, '"',
        suffix, "}", "",
    )  # fmt: skip
