"""Standing still on AWS: the event source off and on again, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from shroff.adapters.aws.intermission import AwsIntermission
from shroff.adapters.memory import MemoryStore
from shroff.core.errors import Retryable


class ResourceInUseException(Exception):
    """AWS's, for a source that is on its way."""


class Functions:
    """Lambda's event sources, each switched a look later than asked."""

    exceptions = SimpleNamespace(ResourceInUseException=ResourceInUseException)

    def __init__(self, *states: str) -> None:
        self.states = {f"source-{number}": state for number, state in enumerate(states)}
        self.busy = 0

    def get_paginator(self, name: str) -> Any:
        assert name == "list_event_source_mappings"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, FunctionName: str) -> Iterator[dict[str, Any]]:  # noqa: N803  # AWS's
        assert FunctionName == "queue-consumer-dev"
        for source, state in self.states.items():
            yield {"EventSourceMappings": [{"UUID": source, "State": state}]}

    def update_event_source_mapping(self, UUID: str, Enabled: bool) -> None:  # noqa: N803  # AWS's
        if self.busy:
            self.busy -= 1
            raise ResourceInUseException
        self.states[UUID] = "Enabling" if Enabled else "Disabling"

    def get_event_source_mapping(self, UUID: str) -> dict[str, str]:  # noqa: N803  # AWS's
        state = self.states[UUID]
        self.states[UUID] = {"Disabling": "Disabled", "Enabling": "Enabled"}.get(state, state)
        return {"State": state}

    def get_function_configuration(self, FunctionName: str) -> dict[str, int]:  # noqa: N803  # AWS's
        assert FunctionName == "queue-consumer-dev"
        return {"Timeout": 30}


class Stack:
    def __init__(self, *states: str) -> None:
        self.functions = Functions(*states)
        self.schedule = MemoryStore().schedule
        self.now = 1_000
        self.slept: list[float] = []

    def intermission(self) -> AwsIntermission:
        """Of a new process."""
        clients: Any = SimpleNamespace(functions=self.functions)
        return AwsIntermission(clients, "dev", self.schedule, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += int(seconds * 1_000)


def test_it_waits_until_the_source_is_off_and_the_last_invocation_must_be_over() -> None:
    stack = Stack("Enabled")
    pause = stack.intermission()
    pause.begin()
    assert stack.functions.states == {"source-0": "Disabled"}
    assert stack.slept[-1] > 30
    assert pause.lasts()
    pause.end()
    assert stack.functions.states == {"source-0": "Enabling"}
    assert not pause.lasts()


def test_a_function_has_seen_what_was_published_before_deciding_goes_on() -> None:
    stack = Stack("Enabled")
    pause = stack.intermission()
    pause.begin()
    before = sum(stack.slept)
    pause.end()
    assert sum(stack.slept) - before > 2


def test_a_source_that_an_operator_switched_off_stays_off() -> None:
    stack = Stack("Enabled", "Disabled")
    pause = stack.intermission()
    pause.begin()
    pause.end()
    assert stack.functions.states == {"source-0": "Enabling", "source-1": "Disabled"}


@pytest.mark.parametrize("begins_again", [True, False])
def test_what_a_crash_left_off_is_switched_on_by_whoever_comes_next(begins_again: bool) -> None:
    stack = Stack("Enabled")
    stack.intermission().begin()
    later = stack.intermission()
    assert later.lasts()
    if begins_again:
        later.begin()
    later.end()
    assert stack.functions.states == {"source-0": "Enabling"}
    assert not stack.intermission().lasts()


def test_a_source_on_its_way_is_asked_again() -> None:
    stack = Stack("Enabled")
    stack.functions.busy = 3
    stack.intermission().begin()
    assert stack.functions.states == {"source-0": "Disabled"}


def test_a_source_that_will_not_be_switched_is_given_up_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack("Enabled")
    stack.functions.busy = 10_000
    pause = stack.intermission()
    with pytest.raises(Retryable, match="switched"):
        pause.begin()
    assert pause.lasts()
    stack.functions.busy = 0
    pause.end()
    assert stack.functions.states == {"source-0": "Enabling"}
