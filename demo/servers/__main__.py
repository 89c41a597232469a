"""Serve the demo company: ``python -m demo.servers --state .state --as-of 2026-06-30``.

Addresses and tokens go to ``<state>/demo/servers.json`` once every port answers. The
servers then follow ``<state>/demo/clock``, a file with the last complete day, and after
every move write that day to ``<state>/demo/served`` when the export files are there too.
``<state>/demo/truth.json`` tells what is really so, for whoever judges the signals.
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

from demo.servers import truth_file
from demo.servers.app import Servers, serve
from demo.servers.clock import FileClock, write_atomically
from demo.servers.world_cache import label, load_or_simulate

POLL_SECONDS = 0.1


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    folder = options.state / "demo"
    world = load_or_simulate(
        folder, customers=options.customers, seed=options.seed, through=options.as_of
    )
    truth_file.write(world, folder / "truth.json")
    gc.freeze()  # millions of objects that stay; the collector need not walk them again
    ports, tokens = _kept(folder)
    clock = FileClock(folder / "clock", options.as_of)
    served = folder / "served"
    served.unlink(missing_ok=True)
    try:
        with serve(world, clock, folder=folder, ports=ports, tokens=tokens) as servers:
            servers.label = label(customers=world.customers, seed=world.seed, days=world.days)
            _prepare(servers, options)
            day = _follow(servers, served, None)
            _announce(servers, folder)
            while not stop.wait(POLL_SECONDS):
                day = _follow(servers, served, day)
    finally:
        served.unlink(missing_ok=True)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.servers", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the state folder")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, metavar="DATE")
    parser.add_argument("--customers", type=int, default=420)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--bad-day", type=_bad_day, metavar="DATE[:KIND,...]", help="poison what changed on a day"
    )
    parser.add_argument(
        "--limit", type=_limit, action="append", default=[], metavar="VENDOR=PER_SECOND"
    )
    return parser.parse_args(arguments)


def _bad_day(text: str) -> tuple[date] | tuple[date, tuple[str, ...]]:
    day, _, kinds = text.partition(":")
    if kinds:
        return date.fromisoformat(day), tuple(kinds.split(","))
    return (date.fromisoformat(day),)


def _limit(text: str) -> tuple[str, int]:
    vendor, _, number = text.partition("=")
    return vendor, int(number)


def _kept(folder: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Ports and tokens of the last start, so that a connection set up once stays good."""
    try:
        kept = json.loads((folder / "addresses.json").read_text())
    except (OSError, ValueError):
        return {}, {}
    return kept["ports"], kept["tokens"]


def _announce(servers: Servers, folder: Path) -> None:
    """Say where everything is; the files hold tokens, so only the owner reads them."""
    ports = {vendor: int(url.rsplit(":", 1)[1]) for vendor, url in servers.urls.items()}
    kept = {"ports": ports, "tokens": servers.tokens}
    write_atomically(folder / "addresses.json", json.dumps(kept), 0o600)
    exports = folder / "exports" / "posthog"
    told = {
        vendor: {"base_url": url, "token": servers.tokens[vendor]}
        for vendor, url in servers.urls.items()
    }
    told["posthog"] = {"base_url": str(exports.resolve()), "token": ""}
    write_atomically(folder / "servers.json", json.dumps(told, indent=2), 0o600)
    for vendor, entry in told.items():
        print(f"{vendor:9} {entry['base_url']}", flush=True)


def _prepare(servers: Servers, options: argparse.Namespace) -> None:
    """What else was asked for: a bad day, rate limits."""
    for vendor, per_second in options.limit:
        servers.faults.limit(vendor, per_second)
    if options.bad_day:
        servers.bad_day.switch_on(*options.bad_day)


def _follow(servers: Servers, served: Path, seen: date | None) -> date:
    """Bring the export files to the clock when it has moved; the day that is served."""
    day = servers.clock.as_of
    if day != seen:
        if day > (last := servers.world.start + timedelta(days=servers.world.days - 1)):
            print(f"the simulated history ends on {last}; {day} shows that day", file=sys.stderr)
        servers.sync(day)
        write_atomically(served, day.isoformat())
    return day


if __name__ == "__main__":
    sys.exit(main())
