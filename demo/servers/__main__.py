"""Serve the demo company: ``python -m demo.servers --state .state --as-of 2026-06-30``.

Once every port answers, the addresses and tokens are written to ``<state>/demo/servers.json``. The
servers follow ``<state>/demo/clock``, a file with the last complete day. After each move, and once
the export files exist, they write that day to ``<state>/demo/served``. ``<state>/demo/truth.json``
holds the true churn and risk periods, for ``retention score check``.
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
    gc.freeze()  # keep millions of permanent objects out of later garbage collections
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
        "--data-faults",
        type=_data_faults,
        metavar="DATE[:KIND,...]",
        help="inject faulty data into one day",
    )
    parser.add_argument(
        "--limit", type=_limit, action="append", default=[], metavar="VENDOR=PER_SECOND"
    )
    return parser.parse_args(arguments)


def _data_faults(text: str) -> tuple[date] | tuple[date, tuple[str, ...]]:
    day, _, kinds = text.partition(":")
    if kinds:
        return date.fromisoformat(day), tuple(kinds.split(","))
    return (date.fromisoformat(day),)


def _limit(text: str) -> tuple[str, int]:
    vendor, _, number = text.partition("=")
    return vendor, int(number)


def _kept(folder: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Read the ports and tokens of the last start, so that stored connections stay valid."""
    try:
        kept = json.loads((folder / "addresses.json").read_text())
    except (OSError, ValueError):
        return {}, {}
    return kept["ports"], kept["tokens"]


def _announce(servers: Servers, folder: Path) -> None:
    """Write addresses and tokens to files that only the owner can read, and print the addresses."""
    ports = {vendor: int(url.rsplit(":", 1)[1]) for vendor, url in servers.urls.items()}
    kept = {"ports": ports, "tokens": servers.tokens}
    write_atomically(folder / "addresses.json", json.dumps(kept), 0o600)
    exports = folder / "exports" / "posthog"
    shown = {
        vendor: {"base_url": url, "token": servers.tokens[vendor]}
        for vendor, url in servers.urls.items()
    }
    shown["posthog"] = {"base_url": str(exports.resolve()), "token": ""}
    write_atomically(folder / "servers.json", json.dumps(shown, indent=2), 0o600)
    for vendor, entry in shown.items():
        print(f"{vendor:9} {entry['base_url']}", flush=True)


def _prepare(servers: Servers, options: argparse.Namespace) -> None:
    """Apply the rate limits and data faults given on the command line."""
    for vendor, per_second in options.limit:
        servers.faults.limit(vendor, per_second)
    if options.data_faults:
        servers.data_faults.switch_on(*options.data_faults)


def _follow(servers: Servers, served: Path, seen: date | None) -> date:
    """Sync the export files when the clock has moved; return the day that is served."""
    day = servers.clock.as_of
    if day != seen:
        if day > (last := servers.world.start + timedelta(days=servers.world.days - 1)):
            print(f"the simulated history ends on {last}; {day} shows that day", file=sys.stderr)
        servers.sync(day)
        write_atomically(served, day.isoformat())
    return day


if __name__ == "__main__":
    sys.exit(main())
