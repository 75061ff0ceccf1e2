"""Standing still on AWS: the queue's event source is switched off, and what is under way is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from shroff.adapters.aws.clients import Clients, translate
from shroff.core.errors import Retryable
from shroff.ports import Clock, Schedule

PAUSED, RESUMED = "paused", "resumed"
"""Names in the schedule; an intermission lasts where the first is the later one."""
_LAG = 5.0
"""Seconds until an index shows what a table holds, and a function has seen what was published."""
_LOOKS, _EVERY = 60, 2.0


class AwsIntermission:
    """Answers Intermission for one stack."""

    def __init__(
        self,
        clients: Clients,
        suffix: str,
        schedule: Schedule,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._functions = clients.functions
        self._consumer = f"queue-consumer-{suffix}"
        self._schedule, self._clock, self._sleep = schedule, clock, sleep
        self._ours: list[str] = []
        """Sources that were on when we came; one that an operator switched off stays so."""

    def begin(self) -> None:
        """Switch the sources off, and wait for the last invocation as long as it may take."""
        sources = self._sources()
        stood_still = self.lasts()
        self._ours = [each["UUID"] for each in sources if stood_still or _is_on(each)]
        # Said before anything is switched off: whoever comes after a crash knows what to switch on.
        self._schedule.done(PAUSED, self._clock())
        for each in self._ours:
            self._switch(each, on=False)
        for each in self._ours:
            self._until_off(each)
        with translate("asking how long the consumer may run"):
            consumer = self._functions.get_function_configuration(FunctionName=self._consumer)
        self._sleep(consumer["Timeout"] + _LAG)

    def end(self) -> None:
        """Switch the sources on again, once every function knows what was published."""
        if not self._ours:
            self._ours = [each["UUID"] for each in self._sources()] if self.lasts() else []
        self._sleep(_LAG)
        for each in self._ours:
            self._switch(each, on=True)
        self._schedule.done(RESUMED, self._clock())

    def lasts(self) -> bool:
        """Whether one was begun that did not end."""
        return lasts(self._schedule)

    def _sources(self) -> list[dict[str, Any]]:
        with translate("looking for the consumer's event source"):
            pages = self._functions.get_paginator("list_event_source_mappings")
            found = pages.paginate(FunctionName=self._consumer)
            return [each for page in found for each in page["EventSourceMappings"]]

    def _switch(self, source: str, *, on: bool) -> None:
        for _ in range(_LOOKS):
            try:
                with translate("switching the consumer's event source"):
                    self._functions.update_event_source_mapping(UUID=source, Enabled=on)
            except self._functions.exceptions.ResourceInUseException:
                self._sleep(_EVERY)  # it is on its way from one state to another
            else:
                return
        raise Retryable("the consumer's event source does not let itself be switched")

    def _until_off(self, source: str) -> None:
        for _ in range(_LOOKS):
            with translate("looking at the consumer's event source"):
                if self._functions.get_event_source_mapping(UUID=source)["State"] == "Disabled":
                    return
            self._sleep(_EVERY)
        raise Retryable("the consumer's event source does not come to rest")


def lasts(schedule: Schedule) -> bool:
    """Whether deciding stands still, as the schedule has it."""
    paused, resumed = schedule.last(PAUSED), schedule.last(RESUMED)
    return paused is not None and (resumed is None or paused > resumed)


def _is_on(source: dict[str, Any]) -> bool:
    return source["State"] not in {"Disabled", "Disabling"}
