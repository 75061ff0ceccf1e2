"""The gateway as an RSGI application: the desk behind Granian, from start to stop."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic, perf_counter
from typing import Any, cast

import structlog

from shroff.api.gateway.auth import Keyring
from shroff.api.gateway.bodies import Bodies
from shroff.api.gateway.committer import Committer
from shroff.api.gateway.desk import Desk, routes
from shroff.api.gateway.gauges import in_flight
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.metrics import Counts
from shroff.api.gateway.poller import Poller
from shroff.api.gateway.request import Request
from shroff.api.gateway.routes.metrics import Metrics
from shroff.api.gateway.rsgi import CLIENT_LEFT, HTTPProtocol, Scope, WebsocketProtocol
from shroff.api.gateway.settings import DeskPorts, GatewayPorts, GatewaySettings

_log = structlog.get_logger("shroff.gateway")

_ROOM_SECONDS, _KEYS_SECONDS, _BODIES_SECONDS = 0.1, 1.0, 1.0


class Gateway:
    """Serves one event loop, from `__rsgi_init__` to `__rsgi_del__`."""

    def __init__(self, ports: GatewayPorts, settings: GatewaySettings | None = None) -> None:
        self._ports = ports
        self._settings = settings or GatewaySettings()
        self._counts = Counts()
        self._committer = Committer(ports.queue.append, self._settings.most_pending, self._counts.group)
        self._intake = Intake(
            self._settings, ports.clock, self._committer.submit, lambda: self._committer.working
        )
        self._keyring = Keyring(ports.keys, monotonic)
        self._reader = ThreadPoolExecutor(1, "shroff-reader")
        self._keeper = ThreadPoolExecutor(1, "shroff-labels")
        self._bodies = Bodies(self._settings.body_timeout / 1_000)
        self._desk = self._furnished()
        self._chores: list[asyncio.Task[None]] = []
        self._loop: AbstractEventLoop

    def _furnished(self) -> Desk:
        ports = self._ports
        asked = DeskPorts(
            reader=ports.reader,
            ledger=ports.ledger,
            dead_letters=ports.dead_letters,
            policies=ports.policies,
            in_flight=partial(in_flight, ports),
            ask=self._ask,
            labels=ports.labels,
            keep=self._keep,
        )
        answered = {
            **routes(asked, self._intake, Poller(ports, self._ask)),
            **Metrics(ports, self._counts, self._ask).routes(),
        }
        return Desk(answered, self._keyring if self._settings.require_key else None, CLIENT_LEFT)

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start. What cannot be read now keeps the server from starting."""
        self._loop = loop
        self._reader.submit(self._look_for_room).result()
        self._chores = [
            loop.create_task(self._every(_ROOM_SECONDS, self._keep_room)),
            loop.create_task(self._every(_BODIES_SECONDS, self._bodies.give_up)),
        ]
        if self._settings.require_key:
            self._reader.submit(self._keyring.refresh).result()
            self._chores.append(loop.create_task(self._every(_KEYS_SECONDS, self._keep_keys)))
        self._committer.start(loop)

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """Stop: what is pending becomes durable, then everything is closed."""
        self._committer.stop()
        for chore in self._chores:
            chore.cancel()
        if not loop.is_running():
            loop.run_until_complete(asyncio.gather(*self._chores, return_exceptions=True))
        self._reader.shutdown()
        self._keeper.shutdown()
        self._ports.close()

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol | WebsocketProtocol) -> None:
        """Answer one request, whatever is in it."""
        if scope.proto == "http":
            await self._http(scope, cast("HTTPProtocol", proto))
        else:
            cast("WebsocketProtocol", proto).close(404)

    async def _http(self, scope: Scope, proto: HTTPProtocol) -> None:
        started = perf_counter()
        method, path, headers = scope.method, scope.path, scope.headers  # Granian has decoded the path
        route = self._desk.route(method, path)
        try:
            request = Request(headers, path, partial(self._bodies.read, proto, headers))
            answer = await self._desk.answer(route, method, request)
            proto.response_bytes(answer.status, answer.headers, answer.body)
        except CLIENT_LEFT:
            return  # the client has left
        self._counts.request(route.name, answer.status, perf_counter() - started)

    def _ask(self, question: Callable[[], Any]) -> Awaitable[Any]:
        return self._loop.run_in_executor(self._reader, question)

    def _keep(self, act: Callable[[], Any]) -> Awaitable[Any]:
        return self._loop.run_in_executor(self._keeper, act)

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        """Do it again and again; of failures in a row, the first is logged."""
        failing = False
        while True:
            await asyncio.sleep(seconds)
            try:
                await act()
                failing = False
            except Exception as error:  # noqa: BLE001  what was known before goes on to be used
                if not failing:
                    _log.warning("refresh_failed", cause=f"{type(error).__name__}: {error}")
                failing = True

    async def _keep_room(self) -> None:
        if self._intake.asked or self._intake.full:
            self._intake.asked = False
            await self._ask(self._look_for_room)

    async def _keep_keys(self) -> None:
        await self._ask(self._keyring.refresh)

    def _look_for_room(self) -> None:
        self._intake.in_flight = in_flight(self._ports)
