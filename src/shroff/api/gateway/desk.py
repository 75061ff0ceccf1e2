"""The desk: from method, address, headers and body to the answer, whichever server stands before it."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from shroff.api.gateway.answers import BROKEN, NOT_FOUND, UNREADABLE, Answer, Refused, faulty, not_allowed
from shroff.api.gateway.auth import Keyring
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import Request, Route
from shroff.api.gateway.routes.batch import Batches
from shroff.api.gateway.routes.decisions import Decisions
from shroff.api.gateway.routes.labels import Labelling
from shroff.api.gateway.routes.operations import Operations
from shroff.api.gateway.routes.transactions import PREFIX, Transactions
from shroff.api.gateway.settings import DeskPorts
from shroff.api.gateway.verdicts import Verdicts
from shroff.core.errors import Rejected, Retryable
from shroff.flows.lookup import SnapshotNames

_log = structlog.get_logger("shroff.gateway")


async def _nothing(_: Request) -> Answer:
    return NOT_FOUND


_NOWHERE = Route("other", (), None, _nothing)


def routes(
    ports: DeskPorts, intake: Intake, verdicts: Verdicts, deciding: Intake | None = None
) -> dict[str, Route]:
    """What every runtime answers; `deciding` takes in what is to be decided at once, where that differs."""
    names = SnapshotNames(ports.policies)
    return {
        **Transactions(ports, intake, names).routes(),
        **Batches(intake).routes(),
        **Decisions(deciding or intake, verdicts, names, ports.ask).routes(),
        **Labelling(ports.labels, ports.keep, intake.clock, intake.settings).routes(),
        **Operations(ports, intake).routes(),
    }


class Desk:
    """Finds the route of a request and turns whatever comes of it into an answer."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        keyring: Keyring | None = None,
        gone: tuple[type[Exception], ...] = (),
    ) -> None:
        self._routes = routes
        self._by_id = routes[PREFIX]
        self._keyring = keyring
        self._gone = gone

    def route(self, method: str, path: str) -> Route:
        """The route of an address; `path` is percent-decoded."""
        route = self._routes.get(path)
        if route is not None and method in route.methods:
            return route
        # A transaction may be called what an address is: GET /transactions/batch asks for it.
        if path.startswith(PREFIX) and (route is None or method in self._by_id.methods):
            return self._by_id
        return route or _NOWHERE

    async def answer(self, route: Route, method: str, request: Request) -> Answer:
        """What the route answers. Raises what says that the client has gone, and nothing else."""
        try:
            if method not in route.methods and route is not _NOWHERE:
                return not_allowed(route.methods)
            if route.scope is not None and self._keyring is not None:
                request.bucket = self._keyring.admit(request.headers, route.scope)
            return await route.handle(request)
        except Refused as refused:
            return refused.answer
        except Rejected as rejected:
            return faulty(rejected.faults)
        except Retryable as error:
            _log.warning("read_refused", route=route.name, cause=str(error))
            return UNREADABLE
        except self._gone:
            raise
        except Exception:  # noqa: BLE001  a bug: logged once, answered without a traceback
            _log.exception("request_failed", route=route.name)
            return BROKEN
