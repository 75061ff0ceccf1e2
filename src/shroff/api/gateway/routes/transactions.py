"""POST /transactions and GET /transactions/{id}."""

from __future__ import annotations

from functools import partial

from shroff.api.gateway.answers import UNKNOWN, Answer, found, receipt_answer
from shroff.api.gateway.headers import require_json
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import GET, POST, Request, Route
from shroff.api.gateway.settings import DeskPorts
from shroff.flows.lookup import SnapshotNames, lookup

PREFIX = "/transactions/"


class Transactions:
    """One transaction at a time."""

    def __init__(self, ports: DeskPorts, intake: Intake, names: SnapshotNames) -> None:
        self._ports = ports
        self._intake = intake
        self._names = names

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        return {
            "/transactions": Route("/transactions", POST, "transactions:write", self.accept),
            PREFIX: Route("/transactions/{id}", GET, "transactions:read", self.show),
        }

    async def accept(self, request: Request) -> Answer:
        """202 once the transaction is durable."""
        self._intake.require_room()
        require_json(request.headers)
        body = await request.read(self._intake.settings.max_body)
        receipts = await self._intake.accept((self._intake.entry(body),))
        return receipt_answer(receipts[0])

    async def show(self, request: Request) -> Answer:
        """Where a transaction is and, once there, its decision."""
        transaction_id = request.path.removeprefix(PREFIX)
        ports = self._ports
        find = partial(lookup, transaction_id, ports.reader, ports.ledger, ports.dead_letters, self._names)
        members = await ports.ask(find)
        return UNKNOWN if members is None else found(members)
