"""The registry at work: which models a policy may name, promoting, retiring, comparing, replaying."""

from __future__ import annotations

import tomllib

import pytest

from shroff.adapters.memory import MemoryStore
from shroff.core.errors import Rejected
from shroff.core.model import Model
from shroff.core.model_document import model_document
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows.compare import compare
from shroff.flows.models import KnownModels, named, promoted, register, roles, with_models, with_plan, without
from shroff.flows.publish import newest_readable, publish, roll_back
from shroff.flows.replay import replay
from shroff.flows.report.content import reader
from tests.core.models import stump
from tests.core.samples import DOCUMENT, START, transaction
from tests.flows.pipeline import Pipeline

FIRST = stump("first", {"amount": (50.0, -2.0, 4.0), "customer.count_5m": (0.0, -1.0, 1.0)})
SECOND = stump("second", {"customer.count_5m": (1.0, -4.0, 4.0)})
HUNGRY = stump(
    "hungry", {"customer.count_9d": (1.0, 0.0, 1.0), "moon": (1.0, 0.0, 1.0), "hour": (1.0, 0.0, 1.0)}
)


def store(*models: Model) -> MemoryStore:
    made = MemoryStore()
    for at, model in enumerate(models):
        register(made.models, model_document(model), at)
    publish(made.policies, DOCUMENT, 0)
    return made


def put(into: MemoryStore, document: str) -> None:
    publish(into.policies, document, 9, KnownModels(into.models))


def problems(of: pytest.ExceptionInfo[Rejected]) -> list[str]:
    return [fault.problem for fault in of.value.faults]


def test_promoting_is_publishing_the_policy_with_another_model_and_rolling_back_undoes_it() -> None:
    there = store(FIRST, SECOND)
    before = there.policies.active()
    assert before is not None
    for model in (FIRST, SECOND):
        put(there, promoted(there.policies, named(there.models, model.version[:8])))
    assert roles(there.policies) == {SECOND.version: "champion"}
    roll_back(there.policies, 10, None, KnownModels(there.models))
    assert roles(there.policies) == {FIRST.version: "champion"}
    roll_back(there.policies, 11, before.version)
    assert roles(there.policies) == {}
    assert [each.number for each in there.policies.history()] == [1, 2, 3, 4, 5]


def test_a_challenger_that_is_promoted_leaves_the_shadow() -> None:
    there = store(FIRST, SECOND)
    put(there, promoted(there.policies, named(there.models, FIRST.version)))
    put(there, promoted(there.policies, named(there.models, SECOND.version), shadow=True))
    assert roles(there.policies) == {FIRST.version: "champion", SECOND.version: "shadow"}
    put(there, promoted(there.policies, named(there.models, SECOND.version)))
    assert roles(there.policies) == {SECOND.version: "champion"}


def test_a_champion_brings_its_thresholds_unless_the_policy_has_its_own_and_a_challenger_never() -> None:
    there, proposed = store(FIRST, SECOND), {"review": 0.25}
    first, second = (named(there.models, each.version) for each in (FIRST, SECOND))
    put(there, promoted(there.policies, first))
    assert "[model.thresholds]" not in promoted(there.policies, second, shadow=True, thresholds=proposed)
    brought = promoted(there.policies, second, thresholds={"review": 0.00001, "decline": 0.75})
    plan = read_policy(brought).model
    assert plan is not None
    assert list(plan.thresholds.values()) == [0.00001, 0.75]
    put(there, brought)
    kept = read_policy(promoted(there.policies, first, thresholds={"review": 0.5})).model
    assert kept is not None
    assert kept.thresholds == plan.thresholds


def test_a_retired_challenger_is_out_of_the_policy_and_the_champion_is_not_retired() -> None:
    there = store(FIRST, SECOND)
    put(there, promoted(there.policies, named(there.models, FIRST.version)))
    assert without(there.policies, SECOND.version) is None
    put(there, promoted(there.policies, named(there.models, SECOND.version), shadow=True))
    document = without(there.policies, SECOND.version)
    assert document is not None
    assert read_policy(document).model == read_policy(with_plan(DOCUMENT, FIRST.version, [])).model
    with pytest.raises(Rejected, match=f"model {FIRST.version} decides: promote another"):
        without(there.policies, FIRST.version)


def test_what_cannot_be_promoted_is_refused_with_a_sentence() -> None:
    there = store(FIRST, SECOND)
    with pytest.raises(Rejected, match="no model decides yet"):
        promoted(there.policies, named(there.models, FIRST.version), shadow=True)
    put(there, promoted(there.policies, named(there.models, FIRST.version)))
    with pytest.raises(Rejected, match="in force already"):
        promoted(there.policies, named(there.models, FIRST.version))
    there.models.retire(SECOND.version, 5)
    with pytest.raises(Rejected, match="is retired; `shroff model import` brings it back"):
        promoted(there.policies, named(there.models, SECOND.version))
    with pytest.raises(Rejected, match='no model "zz" here'):
        named(there.models, "zz")


def test_a_model_is_refused_with_every_feature_that_the_policy_does_not_declare() -> None:
    there = store(HUNGRY)
    with pytest.raises(Rejected) as refused:
        put(there, promoted(there.policies, named(there.models, HUNGRY.version)))
    wanted = f"model: model {HUNGRY.version} needs what this policy does not declare: customer.count_9d, moon"
    assert problems(refused) == [wanted]


def test_a_model_that_is_not_in_the_registry_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        with_models(read_policy(with_plan(DOCUMENT, "0" * 16, [])), KnownModels(MemoryStore().models))
    assert problems(refused) == [f"model: no model {'0' * 16} here; `shroff model list` shows them"]


def test_where_the_models_of_the_policy_in_force_are_gone_the_one_before_decides() -> None:
    there = store()
    document = with_plan(DOCUMENT, FIRST.version, [])
    there.policies.publish(read_policy(document).version, document, 5)
    policy = newest_readable(there.policies, KnownModels(there.models))
    assert policy is not None
    assert policy.version == read_policy(DOCUMENT).version


@pytest.mark.parametrize(
    "document",
    [
        "", DOCUMENT, 'name = "x"', '[model]\nversion = "00000000"',
        '[model] # ours\n  version = "00000000" # old\nreasons = 5 #\n\n[model.thresholds]\nreview = 0.5\n',
        '[model]\nshadow = ["1", "2"]\nversion = "00000000"\n[[rules]]\nname = "a"\n',
        '[model]\nreasons = 2\nversion = "00000000"\n',
    ],
)  # fmt: skip
@pytest.mark.parametrize("shadow", [[], ["11111111", "22222222"]])
def test_only_the_models_change_in_a_text_and_all_else_stays_as_it_was_written(
    document: str, shadow: list[str]
) -> None:
    edited = with_plan(document, "abcdef01", shadow)
    plan = tomllib.loads(edited)["model"]
    assert (plan["version"], plan.get("shadow", [])) == ("abcdef01", shadow)
    kept = [line for line in document.splitlines() if not line.strip().startswith(("version", "shadow"))]
    assert set(kept) - {""} <= set(edited.splitlines())
    assert with_plan(edited, "abcdef01", shadow) == edited


@pytest.mark.parametrize(
    "document", ['model = {version = "00000000"}', '[model]\nshadow = [\n"1",\n"2"]\nversion = "0"']
)
def test_a_section_that_a_program_would_break_is_left_to_its_author(document: str) -> None:
    with pytest.raises(Rejected, match="edit and publish the policy"):
        with_plan(document, "abcdef01", [])


@pytest.fixture
def scored() -> Pipeline:
    """Twenty transactions of two customers, decided by FIRST with SECOND in shadow."""
    pipeline = Pipeline()
    models = pipeline.store.models
    for model in (FIRST, SECOND):
        register(models, model_document(model), 0)
    document = with_plan(DOCUMENT, FIRST.version, [SECOND.version]) + "[model.thresholds]\nreview = 0.7\n"
    pipeline.policy, _ = publish(pipeline.store.policies, document, 1, KnownModels(models))
    pipeline.run(payments(), batch=7)
    return pipeline


def payments() -> list[Transaction]:
    return [
        transaction(at, at * 30_000, 1000 * (at % 9 + 1), customer_id=f"c{at % 2}", merchant="m")
        for at in range(20)
    ]


def test_a_decision_by_models_is_made_again_to_the_byte(scored: Pipeline) -> None:
    again = with_models(read_policy(scored.policy.document), KnownModels(scored.store.models))
    for number in (0, 6, 19):
        record = scored.store.ledger.find(f"t{number}")
        assert record is not None
        assert len(record.decision.snapshot) == 8 * len(again.snapshot_names)
        assert replay(record, again, scored.store.ledger).differences() == []


def test_champion_and_challenger_are_compared_over_what_both_scored(scored: Pipeline) -> None:
    policy_of = reader(scored.store.policies)
    [found] = compare(SECOND.version, policy_of, scored.store.ledger, START, START + 10**9)
    assert (found.champion, found.transactions) == (FIRST.version, 20)
    members = found.members()
    assert members["champion_alerted"] == 8
    assert members["alerted"] == 16
    assert members["agreement"] == 0.6
    assert 0 < members["champion_mean_score"] < members["mean_score"] < 1
    assert compare("0" * 16, policy_of, scored.store.ledger, START, START + 10**9) == []
    assert compare(SECOND.version, policy_of, scored.store.ledger, START - 9, START) == []
