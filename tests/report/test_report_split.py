"""A report in several runs is the report in one, to the byte."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.adapters.memory.drafts import MemoryDrafts
from shroff.core.policy_document import read_policy
from shroff.core.report import Exchange, Tally
from shroff.flows.audit import Audit
from shroff.flows.figures import WATCH
from shroff.flows.report import CSV, HTML, JSON, DayReport, report, report_some
from shroff.ports import SEALED
from tests.report.world import DAY, DAY_LONG, EMPTY, HOUR, MIDNIGHT, POLICY, World, alert, reason

OTHER = read_policy(
    POLICY.document.replace('"EUR"', '"USD"').replace("USD = 0.87", "EUR = 1.2").replace("tested", "other")
)
APPROVED, REVIEWED, DECLINED = (
    ("approve", ()),
    ("review", (reason(),)),
    ("decline", (reason(outcome="decline"),)),
)
EVE = DAY - timedelta(days=1)


class Shelf:
    """Reports in memory."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}

    def write(self, date, files):
        self.files |= {(date, name): b"".join(parts) for name, parts in files.items()}
        return [f"memory:{date}/{name}" for name in files]

    def read(self, date, name):
        return self.files.get((date, name))


class Split:
    """Writes a world's reports in runs of so many windows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.drafts = MemoryDrafts()
        self.shelf = Shelf()
        self.asked: list[tuple[int, int]] = []

    def run(self, windows: int, day=DAY, audit=lambda _: EMPTY) -> DayReport | None:
        left = count(windows - 1, -1)
        store = self.world.store
        return report_some(
            day,
            ledger=self,  # type: ignore[arg-type]  # all that a report asks of it
            alerts=store.alerts,
            dead_letters=store.dead_letters,
            policies=store.policies,
            audit=audit,
            reports=self.shelf,
            drafts=self.drafts,
            time_left=lambda: next(left) > 0,
        )

    def between(self, start: int, end: int):
        self.asked.append((start, end))
        return self.world.store.ledger.between(start, end)

    def to_the_end(self, windows: int, day=DAY) -> int:
        """How many runs it took."""
        return next(runs for runs in count(1) if self.run(windows, day) is not None)

    def files(self, day=DAY) -> list[bytes]:
        date = day.isoformat()
        return [
            self.drafts.tables[date, CSV],
            *(self.shelf.files[date, name] for name in (JSON, HTML, WATCH)),
        ]


def whole(world: World, day=DAY, after=()) -> list[bytes]:
    """The files as one run over the whole day gives them, after the reports of other days."""
    store, shelf = world.store, Shelf()
    for each in (*after, day):
        report(
            each,
            ledger=store.ledger,
            alerts=store.alerts,
            dead_letters=store.dead_letters,
            policies=store.policies,
            audit=EMPTY,
            reports=shelf,
        )
    return [shelf.files[day.isoformat(), name] for name in (CSV, JSON, HTML, WATCH)]


ROWS = st.lists(
    st.tuples(
        st.integers(-DAY_LONG, DAY_LONG - 1).map(lambda at: at - at % 100_000) | st.integers(0, 2 * SEALED),
        st.integers(1, 10**17),
        st.sampled_from(["EUR", "USD", "JPY", "GBP"]),
        st.sampled_from([POLICY.version, OTHER.version, "unknown"]),
        st.sampled_from(
            [("approve", ()), ("review", (reason(),)), ("decline", (reason(outcome="decline"),))]
        ),
        st.sampled_from([None, "cust-1", "Zoë", '"quoted", and\nbroken']),
    ),
    max_size=12,
)


def filled(world: World, rows) -> World:
    world.store.policies.publish(OTHER.version, OTHER.document, 1)
    for number, (when, minor, currency, policy, (outcome, reasons), customer) in enumerate(rows):
        world.decided(
            f"t-{number}", minor, MIDNIGHT + when, outcome, reasons, policy,
            currency=currency, customer_id=customer,
        )  # fmt: skip
    world.store.alerts.add([alert()])
    world.died("dead", b"{", MIDNIGHT)
    return world


@given(rows=ROWS, windows=st.integers(1, 700))
def test_the_bytes_are_the_same_whatever_the_number_of_runs(tmp_path_factory, rows, windows):
    world = filled(World(tmp_path_factory.getbasetemp()), rows)
    split = Split(world)
    used = {when // SEALED for when, *_ in rows}
    assert split.to_the_end(windows) >= len(used) // windows
    assert split.files() == whole(world)


@given(rows=ROWS)
def test_what_the_day_before_came_to_is_kept_and_used_only_where_it_says_the_same(tmp_path_factory, rows):
    world = filled(World(tmp_path_factory.getbasetemp()), rows)
    split = Split(world)
    assert split.run(10_000, EVE) is not None
    split.asked.clear()
    assert split.run(10_000) is not None
    assert split.files() == whole(world, after=[EVE])


def test_an_amount_without_a_rate_in_one_run_has_none_in_the_next(world):
    policies = ("unknown", "unknown", POLICY.version, "unknown")
    for number, (policy, currency) in enumerate(zip(policies, ("EUR", "USD", "EUR", "USD"), strict=True)):
        world.decided(f"t-{number}", 100, MIDNIGHT + number * HOUR, policy=policy, currency=currency)
    split = Split(world)
    split.to_the_end(24)
    assert split.files() == whole(world)


def test_a_day_before_that_is_kept_is_not_read_again(world):
    world.decided("eve", at=MIDNIGHT - HOUR, currency="USD")
    world.decided("t-1", currency="USD")
    split = Split(world)
    split.run(10_000, EVE)
    split.asked.clear()
    split.run(10_000)
    assert split.asked == [(MIDNIGHT, MIDNIGHT + DAY_LONG)]
    assert split.files() == whole(world, after=[EVE])


def test_a_day_before_in_another_money_is_counted_again(world):
    rows = [(-HOUR, 500, "USD", OTHER.version, APPROVED, None), (0, 9, "EUR", POLICY.version, APPROVED, None)]
    filled(world, rows)
    split = Split(world)
    split.run(10_000, EVE)
    split.asked.clear()
    split.run(10_000)
    assert min(split.asked)[0] == MIDNIGHT - DAY_LONG
    assert split.files() == whole(world, after=[EVE])


@pytest.mark.parametrize("crash_after", [0, 1, 13, 23, 24, 25, 47])
def test_a_run_that_crashes_is_gone_on_with_from_what_was_saved_last(world, crash_after, monkeypatch):
    monkeypatch.setattr("shroff.flows.report.split._SAVED_AFTER", 8)
    for number in range(48):
        world.decided(f"t-{number}", 100 + number, MIDNIGHT - DAY_LONG + number * HOUR)
    split = Split(world)
    read, left = split.between, count(crash_after, -1)

    def between(start: int, end: int):
        for records in read(start, end):
            for record in records:
                if next(left) == 0:
                    raise OSError("the line is gone")
                yield [record]

    split.between = between  # type: ignore[method-assign]  # breaks once
    with pytest.raises(OSError, match="gone"):
        split.run(10_000)
    assert split.run(10_000) is not None
    again = -next(left) - 48  # records that were read twice, the one that broke and this question
    assert again <= 8 + 2
    assert split.files() == whole(world)


def test_a_run_that_crashes_between_its_files_is_finished_by_the_next(world):
    world.decided("t-1")
    split = Split(world)
    split.run(1)
    write, split.shelf.write = split.shelf.write, None  # type: ignore[method-assign,assignment]
    with pytest.raises(TypeError):
        split.run(10_000)
    split.shelf.write = write  # type: ignore[method-assign]
    assert split.run(10_000) is not None
    assert split.files() == whole(world)


def test_a_report_that_is_finished_may_be_made_again(world):
    world.decided("t-1")
    split = Split(world)
    for _ in range(2):
        assert split.to_the_end(1) > 2
        assert split.files() == whole(world)


def test_the_audit_is_asked_once_with_the_number_of_decisions(world):
    for number in range(3):
        world.decided(f"t-{number}")
    split, asked = Split(world), []

    def audit(decided: int) -> Audit:
        asked.append(decided)
        return EMPTY

    while split.run(100, audit=audit) is None:
        pass
    assert asked == [3]


def test_a_tally_is_the_same_after_being_kept(world):
    exchange = Exchange({POLICY.version: POLICY}.get)
    tally = Tally(exchange)
    filled(world, [(0, 10**30, "USD", POLICY.version, DECLINED, None)])
    for records in world.store.ledger.history():
        for record in records:
            tally.add(record.transaction, record.decision)
    again = Tally.of(tally.members(), Exchange.of(exchange.members(), {POLICY.version: POLICY}.get))
    assert again.members() == tally.members()
    assert (again.cells, again.rules, again.customers) == (tally.cells, tally.rules, tally.customers)
