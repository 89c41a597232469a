"""Run the vendor servers: one port per vendor, one event loop in its own thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import uvicorn

from demo.servers import hubspot, stripe, typeform
from demo.servers.clock import Clock, SetClock
from demo.servers.data_faults import DEFAULT_KINDS, DataFaults, DataFaultsFile
from demo.servers.fault_schedule import Faults
from demo.servers.posthog_export import Export
from demo.servers.views import Account, Views, World

APPS = {"hubspot": hubspot.app, "stripe": stripe.app, "typeform": typeform.app}
TOKENS: dict[str, Callable[[], str]] = {
    "hubspot": lambda: f"pat-eu1-{uuid4()}",
    "stripe": lambda: f"sk_test_{uuid4().hex}",
    "typeform": lambda: f"tfp_{uuid4().hex}",
}
PATIENCE = 60.0  # seconds until a port that does not answer is an error


class DataFaultsSwitch:
    """Hold data faults in memory, for servers without a state folder."""

    def __init__(self) -> None:
        self._bad: DataFaults | None = None

    def __call__(self) -> DataFaults | None:
        return self._bad

    def switch_on(self, day: date, kinds: Iterable[str] = DEFAULT_KINDS) -> None:
        """Inject faults into ``day`` from the next request on.

        Raises ValueError for an unknown kind.
        """
        self._bad = DataFaults(day, tuple(kinds))

    def switch_off(self) -> None:
        """Serve the original data from the next request on."""
        self._bad = None


class Servers:
    """Usage: ``with serve(world, as_of) as servers: httpx.get(servers.urls["stripe"] + ...)``.

    ``clock``, ``faults`` and ``data_faults`` may be changed while it runs. With a ``folder``,
    ``sync`` writes the PostHog files to ``exports/posthog``.
    """

    def __init__(
        self, world: World, clock: Clock, folder: Path | None, tokens: dict[str, str]
    ) -> None:
        self.world, self.clock, self.folder = world, clock, folder
        self.faults = Faults()
        self.data_faults = (
            DataFaultsFile(folder / "data_faults.json") if folder else DataFaultsSwitch()
        )
        self.views = Views(world, clock, self.data_faults)
        self.tokens = {vendor: tokens.get(vendor) or make() for vendor, make in TOKENS.items()}
        self.urls: dict[str, str] = {}
        self.label = ""  # identifies the world, so that export files of another world are replaced
        self._export: Export | None = None
        self._running: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None

    def start(self, ports: dict[str, int] | None = None) -> Servers:
        """Listen and return when every port answers; replace a port in use by a free one."""
        sockets: list[socket.socket] = []
        for vendor, make in APPS.items():
            account = Account(vendor, self.tokens[vendor], self.views, self.folder)
            listening = _bind((ports or {}).get(vendor, 0))
            self.urls[vendor] = f"http://127.0.0.1:{listening.getsockname()[1]}"
            config = uvicorn.Config(
                self.faults.around(vendor, make(account)),
                log_level="critical",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
            sockets.append(listening)
            self._running.append(uvicorn.Server(config))
        self._thread = threading.Thread(target=self._run, args=(sockets,), daemon=True)
        self._thread.start()
        self._await_start()
        return self

    def _run(self, sockets: list[socket.socket]) -> None:
        async def together() -> None:
            pairs = zip(self._running, sockets, strict=True)
            await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in pairs))

        asyncio.run(together())

    def _await_start(self) -> None:
        pause = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            if all(server.started for server in self._running):
                return
            if self._thread is None or not self._thread.is_alive():
                break
            pause.wait(0.01)
        raise RuntimeError("the demo servers did not start")

    def stop(self) -> None:
        """Finish the running requests and close the ports."""
        for server in self._running:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)

    def sync(self, as_of: date | None = None) -> int:
        """Write the export files up to the clock (or ``as_of``); return the number of new files."""
        if self.folder is None:
            raise RuntimeError("servers without a folder export no files")
        if self._export is None:
            target = self.folder / "exports" / "posthog"
            self._export = Export(self.world.events, target, self.label)
        return self._export.sync(as_of or self.clock.as_of)

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(
    world: World,
    clock: Clock | date,
    *,
    folder: Path | None = None,
    ports: dict[str, int] | None = None,
    tokens: dict[str, str] | None = None,
) -> Servers:
    """Start the servers over ``world``; their files go to ``folder`` (state/demo)."""
    standing = SetClock(clock) if isinstance(clock, date) else clock
    return Servers(world, standing, folder, tokens or {}).start(ports)


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Head and body are two small writes. With Nagle's algorithm they would cost 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.bind(("127.0.0.1", 0))
    return bound
