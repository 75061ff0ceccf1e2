"""POST /transactions and GET /transactions/{id}."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import unquote

from shroff.api.gateway.answers import UNKNOWN, Answer, cause_of, found, receipt_answer
from shroff.api.gateway.entries import read_body, require_json
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import GET, POST, Request, Route
from shroff.api.gateway.settings import GatewayPorts
from shroff.api.gateway.snapshots import SnapshotNames
from shroff.api.gateway.verdicts import Ask
from shroff.codec import decision_members, decode_transaction, wire_members
from shroff.core.errors import Rejected
from shroff.ports import Message

PREFIX = "/transactions/"


class Transactions:
    """One transaction at a time."""

    def __init__(self, ports: GatewayPorts, intake: Intake, names: SnapshotNames, ask: Ask) -> None:
        self._ports = ports
        self._intake = intake
        self._names = names
        self._ask = ask

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        return {
            "/transactions": Route("/transactions", POST, "transactions:write", self.accept),
            PREFIX: Route("/transactions/{id}", GET, "transactions:read", self.show),
        }

    async def accept(self, request: Request) -> Answer:
        """202 once the transaction is durable."""
        self._intake.require_room()
        require_json(request)
        body = await read_body(request, self._intake.settings.max_body)
        receipts = await self._intake.accept((self._intake.entry(body),))
        return receipt_answer(receipts[0])

    async def show(self, request: Request) -> Answer:
        """Where a transaction is and, once there, its decision."""
        try:
            transaction_id = unquote(request.path.removeprefix(PREFIX), errors="strict")
        except UnicodeDecodeError:
            return UNKNOWN
        members = await self._ask(partial(self._members, transaction_id))
        return UNKNOWN if members is None else found(members)

    def _members(self, transaction_id: str) -> dict[str, Any] | None:
        record = self._ports.ledger.find(transaction_id)
        if record is not None:
            names = self._names.of(record.decision.policy_version)
            return {
                "transaction_id": transaction_id,
                "status": "decided",
                "transaction": wire_members(record.transaction),
                "decision": decision_members(record.decision, names),
            }
        dead = self._ports.dead_letters.get(transaction_id)
        if dead is not None:
            return _undecided(dead.message, "dead_lettered") | {"cause": cause_of(dead)}
        message = self._ports.reader.find(transaction_id)
        return None if message is None else _undecided(message, "accepted")


def _undecided(message: Message, status: str) -> dict[str, Any]:
    members: dict[str, Any] = {"transaction_id": message.transaction_id, "status": status}
    with suppress(Rejected):  # a dead letter may have been edited into something that is no transaction
        members["transaction"] = wire_members(decode_transaction(message.body))
    return members
