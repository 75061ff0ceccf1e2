"""POST /decisions: a transaction in, its decision out."""

from __future__ import annotations

from shroff.api.gateway.answers import Answer, accepted_members, cause_of, found, receipt_answer
from shroff.api.gateway.headers import require_json
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import POST, Ask, Request, Route
from shroff.api.gateway.verdicts import Verdict, Verdicts
from shroff.codec import decision_members, encode
from shroff.flows.lookup import SnapshotNames
from shroff.ports import DeadLetter, Receipt

_LATE = "Transaction accepted, but not decided in time: ask GET /transactions/{transaction_id}"
_DEAD = "Transaction accepted, but it could not be decided"


class Decisions:
    """Accepts as POST /transactions does, and then waits."""

    def __init__(self, intake: Intake, verdicts: Verdicts, names: SnapshotNames, ask: Ask) -> None:
        self._intake = intake
        self._verdicts = verdicts
        self._names = names
        self._ask = ask

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        return {"/decisions": Route("/decisions", POST, "decisions:write", self.decide)}

    async def decide(self, request: Request) -> Answer:
        """200 with the decision, for a repeated id the stored one.

        202 where it takes too long, 422 where it was given up.
        """
        self._intake.require_room()
        require_json(request.headers)
        entry = self._intake.entry(await request.read(self._intake.settings.max_body))
        receipt = (await self._intake.accept((entry,)))[0]
        if receipt.status == "conflict":
            return receipt_answer(receipt)
        seconds = self._intake.settings.decision_timeout / 1_000
        return await self._answer(receipt, await self._verdicts.of(entry, receipt, seconds))

    async def _answer(self, receipt: Receipt, verdict: Verdict | None) -> Answer:
        if verdict is None:
            # It is durable and will be decided: to call this an error would have it sent again.
            members = accepted_members(receipt) | {"message": _LATE, "status": "accepted"}
            return Answer(202, encode(members))
        if isinstance(verdict, DeadLetter):
            members = {"error": _DEAD, "cause": cause_of(verdict), "transaction_id": receipt.transaction_id}
            return Answer(422, encode(members))
        version = verdict.decision.policy_version
        names = self._names.known(version)
        if names is None:  # going to the reader each time would take each decision one more turn behind it
            names = await self._ask(lambda: self._names.of(version))
        return found(decision_members(verdict.decision, names))
