"""Models in the functions: a promoted one decides there too, from what the registry holds."""

from __future__ import annotations

from shroff.core.model_document import model_document
from shroff.core.policy import MODEL
from shroff.flows.models import KnownModels, named, promoted, register
from shroff.flows.publish import publish
from tests.api.served import POLICY
from tests.core.models import stump
from tests.runtimes.test_lambda_consumer import accept
from tests.runtimes.twins import Stack, now, record

CHAMPION = stump("amounts", {"amount": (100.0, -3.0, 4.0)})


def test_a_promoted_model_decides_within_the_time_that_a_policy_is_known() -> None:
    stack = Stack(POLICY)
    models, policies = stack.store.models, stack.store.policies
    register(models, model_document(CHAMPION), 1)
    stack.consume(*map(record, accept(stack, "before", amount=150)))
    publish(policies, promoted(policies, named(models, CHAMPION.version)), 2, KnownModels(models))
    later = now() + 2_000
    stack.clock = lambda: later
    stack.consume(*map(record, accept(stack, "after", amount=150)))
    before, after = (stack.store.ledger.find(name) for name in ("before", "after"))
    assert before is not None
    assert after is not None
    assert len(after.decision.snapshot) == len(before.decision.snapshot) + 8
    assert after.decision.score == 0.952574
    assert MODEL in [reason.rule for reason in after.decision.reasons]
