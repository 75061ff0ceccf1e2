from __future__ import annotations

from decimal import Decimal

from tests.report.world import DAY_LONG, MIDNIGHT, POLICY, World, alert, reason

YESTERDAY = MIDNIGHT - DAY_LONG


def _two_days(world: World, order: int = 1) -> None:
    for number in range(6)[::order]:
        world.decided(f"y-{number}", 300, YESTERDAY + number, merchant=f"m-{number % 3}")
    for number in range(3)[::order]:
        hits = (reason(text=f"example {number}"), reason(f"rule_{number}"))
        world.decided(f"t-{number}", 400, MIDNIGHT + number, "review", hits, customer_id=f"c-{number}")
    for number in range(3)[::order]:
        world.died(f"d-{number}", b"\xff", MIDNIGHT + 5, cause=f"Rejected: {number}")
    world.store.alerts.add([alert(f"a-{number}", key=f"c-{number}") for number in range(3)][::order])


def test_every_total_stands_beside_that_of_the_day_before(world):
    _two_days(world)
    change = world.report()["change"]
    assert change["since"] == "2018-08-14"
    assert change["totals"]["count"] == {"today": 3, "before": 6, "difference": -3, "ratio": Decimal("0.5")}
    assert change["totals"]["sum"] == {
        "today": Decimal("12.00"), "before": Decimal("18.00"), "difference": Decimal("-6.00"),
        "ratio": Decimal("0.666667"),
    }  # fmt: skip
    assert change["by_outcome"]["review"]["count"]["ratio"] is None
    assert change["by_outcome"]["approve"]["count"]["difference"] == -6


def test_the_same_day_gives_the_same_bytes(world, tmp_path):
    _two_days(world)
    world.report()
    first = world.all_bytes()
    world.report()
    assert world.all_bytes() == first


def test_neither_the_order_of_arrival_nor_other_days_change_a_byte(world, tmp_path):
    _two_days(world)
    world.report()
    other = World(tmp_path / "other")
    for number, days in enumerate((-30, -2, 1, 30)):
        other.decided(
            f"far-{number}", 999, MIDNIGHT + days * DAY_LONG, "decline", (reason("x"),), merchant="Far"
        )
        other.died(f"dead-{number}", b"\xff", MIDNIGHT + days * DAY_LONG)
        other.store.alerts.add([alert(f"far-{number}", occurred_at=MIDNIGHT + days * DAY_LONG)])
    other.store.policies.publish("newer", POLICY.document, 5)
    _two_days(other, order=-1)
    other.report()
    assert other.all_bytes() == world.all_bytes()


def test_a_day_after_an_empty_one_has_no_ratios(world):
    world.decided("t-1")
    found = world.report()
    assert found["change"]["totals"]["count"] == {"today": 1, "before": 0, "difference": 1, "ratio": None}
    assert found["change"]["totals"]["mean"]["difference"] is None
    assert found["summary"].endswith("The day before had none.")


def test_the_first_sentence_sums_up_the_day(world):
    _two_days(world)
    world.decided("t-9", 500, MIDNIGHT + 9, "decline")
    assert world.report()["summary"] == (
        "On Wednesday 15 August 2018 there were 4 transactions worth 17.00 EUR: none were approved,"
        " 3 sent to review and 1 declined (5.00 EUR). That is 33.3% fewer than the day before."
        " 3 messages could not be processed and wait as dead letters."
    )
