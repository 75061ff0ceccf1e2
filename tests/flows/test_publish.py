"""Publishing and rolling back."""

from __future__ import annotations

import re

import pytest

from shroff.adapters.aws.commit import MOST_STATE
from shroff.adapters.memory import MemoryStore
from shroff.core.errors import Rejected
from shroff.core.policy_document import read_policy
from shroff.flows.publish import check_weight, publish, roll_back
from shroff.runtimes.wiring import default_policy
from tests.core.samples import DOCUMENT, HEAVY

OTHER = DOCUMENT.replace("score = 0.4", "score = 0.6")


def test_a_published_policy_is_in_force() -> None:
    policies = MemoryStore().policies
    policy, publication = publish(policies, DOCUMENT, 5)
    assert policies.active() == publication
    assert (publication.version, publication.document, publication.published_at) == (
        policy.version,
        DOCUMENT,
        5,
    )


def test_a_faulty_policy_changes_nothing_and_names_its_faults() -> None:
    policies = MemoryStore().policies
    _, publication = publish(policies, DOCUMENT, 5)
    with pytest.raises(Rejected, match=r"rules\.high\.score: must be a number from 0 to 1"):
        publish(policies, DOCUMENT.replace("score = 0.4", "score = 4"), 6)
    assert policies.history() == [publication]


def test_publishing_what_is_in_force_changes_nothing() -> None:
    policies = MemoryStore().policies
    _, first = publish(policies, DOCUMENT, 5)
    assert publish(policies, "# again\n" + DOCUMENT, 6)[1] == first
    assert len(policies.history()) == 1


def test_rolling_back_publishes_the_policy_before() -> None:
    policies = MemoryStore().policies
    _, first = publish(policies, DOCUMENT, 5)
    publish(policies, OTHER, 6)
    back = roll_back(policies, 7)
    assert (back.version, back.document, back.published_at) == (first.version, DOCUMENT, 7)
    assert policies.active() == back
    assert [each.published_at for each in policies.history()] == [5, 6, 7]


def test_rolling_back_to_a_version_takes_its_beginning() -> None:
    policies = MemoryStore().policies
    versions = [publish(policies, DOCUMENT.replace("0.4", f"0.{n}"), n)[1].version for n in range(4, 8)]
    assert roll_back(policies, 9, versions[1][:6]).version == versions[1]


@pytest.mark.parametrize("version", [None, "ffffff"])
def test_there_must_be_something_to_roll_back_to(version: str | None) -> None:
    policies = MemoryStore().policies
    publish(policies, DOCUMENT, 5)
    with pytest.raises(Rejected, match="no earlier policy"):
        roll_back(policies, 6, version)
    with pytest.raises(Rejected, match="no earlier policy"):
        roll_back(MemoryStore().policies, 6, version)


def test_a_policy_that_is_not_sound_any_more_is_not_rolled_back_to() -> None:
    policies = MemoryStore().policies
    policies.publish("old", "nonsense = 1", 4)
    _, current = publish(policies, DOCUMENT, 5)
    with pytest.raises(Rejected, match="unknown key"):
        roll_back(policies, 6)
    assert policies.active() == current


def test_a_policy_of_which_an_entity_could_outgrow_its_place_is_refused_by_name() -> None:
    policy = read_policy(HEAVY)
    with pytest.raises(Rejected) as refused:
        check_weight(policy, 390_000)
    (fault,) = refused.value.faults
    assert fault.field == "features.customer"
    assert re.fullmatch(
        r"what is remembered of one customer could come to 4\d\d,\d{3} bytes, more than the 390,000 that can "
        r"be kept of it here: give it fewer distinct counts or windows",
        fault.problem,
    )
    check_weight(policy, 500_000)


def test_the_default_policy_fits_on_aws() -> None:
    check_weight(read_policy(default_policy()), MOST_STATE)
