"""The laws hold of the stack, and each of them fails where it is broken."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from tests.infra.broken import BROKEN, Change
from tests.infra.declared import World, declare
from tests.infra.laws import LAWS, Law, named


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_stack_keeps_the_law(law: Law, world: World) -> None:
    assert list(law(world)) == []


@pytest.mark.parametrize("auth", ["iam", "cognito"])
def test_other_ways_to_say_who_one_is_keep_every_law(auth: Any, dist: Path) -> None:
    pool = "arn:aws:cognito-idp:eu-west-3:123456789012:userpool/eu-west-3_x" if auth == "cognito" else None
    world = declare(Settings(suffix="a", auth=auth, user_pool_arn=pool, api_account_role=False), dist)
    assert [sentence for law in LAWS for sentence in law(world)] == []


def test_the_longest_suffix_and_account_keep_every_law(dist: Path) -> None:
    world = declare(Settings(suffix="a-twenty-letter-name"), dist)
    assert [sentence for law in LAWS for sentence in law(world)] == []


def test_two_stacks_do_not_collide(world: World, dist: Path) -> None:
    other = declare(Settings(suffix="dev"), dist)
    ours, theirs = (
        {(each.kind, named(each)) for each in one.resources if named(each)} for one in (world, other)
    )
    assert len(ours) > 50
    assert ours & theirs == set()


@pytest.mark.parametrize(
    ("law", "where", "change"), BROKEN, ids=lambda value: getattr(value, "__name__", None)
)
def test_the_law_fails_where_it_is_broken(
    law: Law, where: tuple[str, str], change: Change | None, world: World
) -> None:
    broken = copy.deepcopy(world)
    resource = broken.one(*where)
    if change is None:
        broken.resources.remove(resource)
    else:
        change(resource.given)
    assert list(law(broken)) != []


def test_every_law_has_been_seen_to_fail() -> None:
    assert {law for law, _, _ in BROKEN} == set(LAWS)
