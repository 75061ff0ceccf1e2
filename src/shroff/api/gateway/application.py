"""The gateway as an RSGI application: from a request to the route that answers it, and from start to stop."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, perf_counter
from typing import Any, cast

import structlog

from shroff.api.gateway.answers import BROKEN, NOT_FOUND, UNREADABLE, Answer, Refused, faulty, not_allowed
from shroff.api.gateway.auth import Keyring
from shroff.api.gateway.committer import Committer
from shroff.api.gateway.gauges import in_flight
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.metrics import Counts
from shroff.api.gateway.request import Request, Route
from shroff.api.gateway.routes.batch import Batches
from shroff.api.gateway.routes.decisions import Decisions
from shroff.api.gateway.routes.operations import Operations
from shroff.api.gateway.routes.transactions import PREFIX, Transactions
from shroff.api.gateway.rsgi import CLIENT_LEFT, HTTPProtocol, Scope, WebsocketProtocol
from shroff.api.gateway.settings import GatewayPorts, GatewaySettings
from shroff.api.gateway.verdicts import Verdicts
from shroff.core.errors import Rejected, Retryable
from shroff.flows.lookup import SnapshotNames

_log = structlog.get_logger("shroff.gateway")


async def _nothing(_: Request) -> Answer:
    return NOT_FOUND


_NOWHERE = Route("other", (), None, _nothing)
_ROOM_SECONDS, _KEYS_SECONDS, _BODIES_SECONDS = 0.1, 1.0, 1.0


class Gateway:
    """Serves one event loop, from `__rsgi_init__` to `__rsgi_del__`."""

    def __init__(self, ports: GatewayPorts, settings: GatewaySettings | None = None) -> None:
        self._ports = ports
        self._settings = settings or GatewaySettings()
        self._counts = Counts()
        self._committer = Committer(ports.queue.append, self._settings.most_pending, self._counts.group)
        self._intake = Intake(ports, self._settings, self._committer)
        self._keyring = Keyring(ports.keys, monotonic)
        self._reader = ThreadPoolExecutor(1, "shroff-reader")
        self._routes = self._table()
        self._by_id = self._routes[PREFIX]
        self._chores: list[asyncio.Task[None]] = []
        self._loop: AbstractEventLoop

    def _table(self) -> dict[str, Route]:
        names = SnapshotNames(self._ports.policies)
        verdicts = Verdicts(self._ports, self._ask)
        return {
            **Transactions(self._ports, self._intake, names, self._ask).routes(),
            **Batches(self._intake).routes(),
            **Decisions(self._intake, verdicts, names, self._ask).routes(),
            **Operations(self._ports, self._intake, self._counts, self._ask).routes(),
        }

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start. What cannot be read now keeps the server from starting."""
        self._loop = loop
        self._reader.submit(self._look_for_room).result()
        self._chores = [
            loop.create_task(self._every(_ROOM_SECONDS, self._keep_room)),
            loop.create_task(self._every(_BODIES_SECONDS, self._intake.bodies.give_up)),
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
        self._ports.close()

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol | WebsocketProtocol) -> None:
        """Answer one request, whatever is in it."""
        if scope.proto == "http":
            await self._http(scope, cast("HTTPProtocol", proto))
        else:
            cast("WebsocketProtocol", proto).close(404)

    async def _http(self, scope: Scope, proto: HTTPProtocol) -> None:
        started = perf_counter()
        route = self._route(scope.method, scope.path)
        try:
            answer = await self._answer(route, scope, proto)
            proto.response_bytes(answer.status, answer.headers, answer.body)
        except CLIENT_LEFT:
            return  # the client has left
        self._counts.request(route.name, answer.status, perf_counter() - started)

    def _route(self, method: str, path: str) -> Route:
        route = self._routes.get(path)
        if route is not None and method in route.methods:
            return route
        # A transaction may be called what an address is: GET /transactions/batch asks for it.
        if path.startswith(PREFIX) and (route is None or method in self._by_id.methods):
            return self._by_id
        return route or _NOWHERE

    async def _answer(self, route: Route, scope: Scope, proto: HTTPProtocol) -> Answer:
        try:
            if scope.method not in route.methods and route is not _NOWHERE:
                return not_allowed(route.methods)
            request = Request(proto, scope.headers, scope.path)
            if route.scope is not None and self._settings.require_key:
                request.bucket = self._keyring.admit(request.headers, route.scope)
            return await route.handle(request)
        except Refused as refused:
            return refused.answer
        except Rejected as rejected:
            return faulty(rejected.faults)
        except Retryable as error:
            _log.warning("read_refused", route=route.name, cause=str(error))
            return UNREADABLE
        except CLIENT_LEFT:
            raise
        except Exception:  # noqa: BLE001  a bug: logged once, answered without a traceback
            _log.exception("request_failed", route=route.name)
            return BROKEN

    def _ask(self, question: Callable[[], Any]) -> Awaitable[Any]:
        return self._loop.run_in_executor(self._reader, question)

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
