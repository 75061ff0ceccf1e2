"""The law of every ledger: whatever work comes in whatever order, each transaction has one fate."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shroff.core.policy import OUTCOMES
from shroff.ports import Work
from tests.contracts.conftest import ONE_WORKER, Adapter, Store
from tests.contracts.samples import decided, dying, retrying

IDS = "abcdefghij"
FATES = ["approve", "decline", "settled", *["retrying", "dead_lettered"] * 3]
"""Few decisions: they are the last fate, and any plan with a second one is refused."""


class Working(RuleBasedStateMachine):
    """Batches over few ids against a dict of fates: one fate each, and a decision is the last."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.fates: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}
        self.discarded: set[str] = set()

    @rule(
        plan=st.dictionaries(
            st.sampled_from(IDS),
            st.sampled_from(FATES),
            max_size=4,
        )
    )
    def commit(self, plan: dict[str, str]) -> None:
        work = Work(
            decided=[decided(name, outcome=fate) for name, fate in plan.items() if fate in OUTCOMES],
            unsettled=[
                retrying(name, 10) if fate == "retrying" else dying(name)
                for name, fate in plan.items()
                if fate in {"retrying", "dead_lettered"}
            ],
            settled=[name for name, fate in plan.items() if fate == "settled"],
        )
        if any(self.fates.get(name) == "decided" and fate != "settled" for name, fate in plan.items()):
            with pytest.raises(ValueError, match="decided before"):
                self.store.ledger.commit(work)
        else:
            self.store.ledger.commit(work)
            self.follow(plan)

    def follow(self, plan: dict[str, str]) -> None:
        for name, fate in plan.items():
            if fate in OUTCOMES:
                self.fates[name], self.outcomes[name] = "decided", fate
            elif fate != "settled":
                self.fates[name] = fate
            elif self.fates.get(name) == "retrying":
                del self.fates[name]
            if self.fates.get(name) != "dead_lettered":
                self.discarded.discard(name)

    @rule(ids=st.lists(st.sampled_from(IDS)))
    def redrive(self, ids: list[str]) -> None:
        dead = {each for each in ids if self.fates.get(each) == "dead_lettered"} - self.discarded
        assert self.store.dead_letters.redrive(ids, 99) == len(dead)
        self.fates |= dict.fromkeys(dead, "retrying")

    @rule(ids=st.lists(st.sampled_from(IDS)))
    def discard(self, ids: list[str]) -> None:
        dead = {each for each in ids if self.fates.get(each) == "dead_lettered"} - self.discarded
        assert self.store.dead_letters.discard(ids) == len(dead)
        self.discarded |= dead

    @invariant()
    def every_id_has_the_fate_of_the_model(self) -> None:
        ledger, fates = self.store.ledger, list(self.fates.values())
        assert ledger.fates(list(IDS)) == self.fates
        totals = ledger.totals()
        for fate in ("decided", "retrying", "dead_lettered"):
            assert totals[fate] == fates.count(fate)
        for outcome in OUTCOMES:
            assert totals[f"outcome.{outcome}"] == list(self.outcomes.values()).count(outcome)
        assert [each.transaction.transaction_id for chunk in ledger.history() for each in chunk] == list(
            self.outcomes
        )
        assert {
            each.message.transaction_id for each in self.store.dead_letters.all() if each.discarded
        } == self.discarded


@ONE_WORKER
def test_any_work_ends_as_in_a_dict(adapter: Adapter) -> None:
    class Fresh(Working):
        def __init__(self) -> None:
            super().__init__(adapter.store())

    run_state_machine_as_test(Fresh, settings=settings(max_examples=40, stateful_step_count=20))
