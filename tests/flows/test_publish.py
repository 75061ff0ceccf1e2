"""Publishing and rolling back."""

from __future__ import annotations

import pytest

from shroff.adapters.memory import MemoryStore
from shroff.core.errors import Rejected
from shroff.flows.publish import publish, roll_back
from tests.core.samples import DOCUMENT

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
