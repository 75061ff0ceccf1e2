"""The arithmetic of docs/cost.md by hand-computed examples, and that the page is what comes of it."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws

from infra.costs.bill import DAY, MONTH, WINDOW, Biller, Load
from infra.costs.counted import Counted, Part, Way, read_counted
from infra.costs.layout import API_HANDLER, BATCH_PROCESSOR, QUEUE_CONSUMER, REPORT_GENERATOR, Layout
from infra.costs.prices import Prices, read_prices
from infra.costs.tables import dollars, per_million, table
from tests.adapters import moto_tables
from tests.adapters.shelves import client
from tests.cloud.count import looking_back, toml
from tests.cloud.units import Tally, kind_of, listening, read_units, size_of, write_units

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prices() -> Prices:
    return read_prices()


@pytest.fixture
def biller(prices: Prices) -> Biller:
    """A stack of round numbers."""
    functions = (API_HANDLER, QUEUE_CONSUMER, BATCH_PROCESSOR, REPORT_GENERATOR)
    layout = Layout(
        memory=dict.fromkeys(functions, 2.0),
        timeouts=dict.fromkeys(functions, 30.0),
        reserved=100,
        shards=16,
        log_days=30,
        access_line=474,
        methods=2,
        alarm_metrics=12,
        alarms=10,
        dashboards=1,
        keys=1,
        indexes={"transactions": ("by-time",), "state": ()},
        recovery=True,
        tracing=True,
        glacier=(90, "GLACIER"),
        throttle=10_000,
        batch=10,
    )
    api = Part(milliseconds=5, units={"write accepted": 1, "write accepted > by-accepted": 1},
               calls={"dynamodb PutItem": 1, "sqs SendMessageBatch": 1})  # fmt: skip
    consumer = Part(
        milliseconds=20,
        units={"write decided": 20, "write decided > by-time": 10, "write entity": 30, "read entity": 40},
        calls={"dynamodb BatchGetItem": 1, "dynamodb TransactWriteItems": 1},
    )
    stored = {"accepted": 300, "accepted > by-accepted": 100, "decided": 500, "decided > by-time": 500,
              "chunks": 100, "entity": 900}  # fmt: skip
    way = Way(batch=10, api=api, consumer=consumer, stored=stored, entities=2)
    counted = Counted(
        machine="none",
        metrics=10,
        ways={("plain", 1): way, ("plain", 10): way},
        posted={"plain": api},
        sweep=(Part(units={"read by-time": 50}), Part(units={"read by-time": 0.5})),
        report=(Part(), Part()),
        history={},
        history_window=1,
    )
    return Biller(layout, counted, prices)


HUNDRED = Load(rate=100, kind="plain")


@pytest.mark.parametrize(
    ("name", "amount", "cost"),
    [
        ("api request", 333e6, 1_165.50),
        ("api request", 1e9, 1_165.50 + 1_867.60),
        # 333 M x 3.50 + 667 M x 2.80 + 19,000 M x 2.38 + 1,000 M x 1.51, a million each
        ("api request", 21e9, 1_165.50 + 1_867.60 + 45_220 + 1_510),
        ("lambda GB-second", 6e9, 100_000.20),
        ("lambda GB-second", 16e9, 100_000.20 + 135_000 + 13_333.40),
        ("lambda log GB", 60_000, 5_000 + 5_000 + 2_000 + 500),
        ("sqs request", 3e6, 1.20),
        ("dynamodb write unit", 22.6e6, 14.125),
        ("s3 put or list", 2_500, 0.0125),
        ("kms request", 70_080, 0.21024),
        ("metric", 10_010, 3_001),
        ("sns publish", 0, 0),
    ],
)
def test_a_price_is_that_of_each_tier(prices: Prices, name: str, amount: float, cost: float) -> None:
    assert prices.of(name, amount) == pytest.approx(cost)


def test_every_price_has_a_source_and_rising_tiers(prices: Prices) -> None:
    for each in prices.by_name.values():
        assert each.source.startswith("https://aws.amazon.com/")
        ends = [end for end, _ in each.tiers]
        assert ends == [*sorted(ends[:-1]), 0]


def test_writes_and_reads_are_those_of_the_parts(biller: Biller) -> None:
    bill = per_million(HUNDRED, biller.bill(HUNDRED))
    # 2 by the API, 6 by a tenth of a batch, at 0.625 a million.
    assert bill["DynamoDB writes"] == pytest.approx(8 * 0.625)
    # 4 by a tenth of a batch; 0.5 and a share of 50 by the sweep; a look for a policy every two seconds.
    share = 50 / (100 * WINDOW)
    running = 100 / 10 * (20 + 5 + 15) / 1_000
    looks = max(1.0, running) / 2 / 100
    assert bill["DynamoDB reads"] == pytest.approx((4 + 0.5 + share + looks) * 0.125)


def test_lambda_is_requests_and_seconds_by_memory(biller: Biller) -> None:
    month = biller.month(HUNDRED)
    assert month.seconds[API_HANDLER] == pytest.approx(0.005 + 0.005 + 0.010)
    assert month.seconds[QUEUE_CONSUMER] == pytest.approx(0.020 + 0.005 + 0.015)
    runs = 100 * MONTH * 1.1 + MONTH / WINDOW + MONTH / DAY
    seconds = 100 * MONTH * (0.020 + 0.040 / 10)
    cost = runs / 1e6 * 0.20 + seconds * 2.0 * 0.0000166667
    assert biller.bill(HUNDRED)["Lambda"] == pytest.approx(cost, rel=1e-3)


def test_slow_traffic_leaves_every_message_alone(biller: Biller) -> None:
    assert biller.month(replace(HUNDRED, rate=1)).batch == 1
    assert biller.month(HUNDRED).batch == 10


def test_what_is_kept_grows_with_history_and_old_chunks_move(biller: Biller) -> None:
    stored = biller.month(replace(HUNDRED, history=100)).stored
    kept, entities = 100 * DAY * 100, 2 * 100 * DAY
    assert stored["table"] == pytest.approx((kept * (300 + 500 + 200) + entities * 1_000) / 1e9)
    assert stored["index"] == pytest.approx(kept * (100 + 500 + 200) / 1e9)
    assert stored["old chunks"] == pytest.approx(stored["chunks"] / 9)
    # A window of 1/s is under 128 KiB, which never moves.
    assert biller.month(Load(rate=1, kind="plain", history=100)).stored["old chunks"] == 0


def test_traces_are_the_first_of_a_second_and_some_of_the_others(biller: Biller) -> None:
    assert biller.traces(biller.month(HUNDRED), 0.05) == pytest.approx((1 + 99 / 20 + 1 + 9 / 20) * MONTH)


def test_what_watches_costs_the_same_at_every_rate(biller: Biller) -> None:
    watching = "CloudWatch metrics, alarms, dashboard"
    assert biller.bill(HUNDRED)[watching] == pytest.approx((10 + 2 * 5) * 0.30 + 12 * 0.10 + 3)
    assert biller.bill(replace(HUNDRED, rate=1))[watching] == biller.bill(HUNDRED)[watching]


def test_scanning_reads_all_of_history_every_five_minutes(biller: Biller) -> None:
    naive = biller.naive(HUNDRED)
    gigabytes = 100 * DAY * 30 * (300 + 500) / 1e9
    assert biller.scanned(HUNDRED) == pytest.approx(gigabytes)
    scans = gigabytes * 1e9 / 4096 / 2 * MONTH / WINDOW / 1e6 * 0.125
    ours = biller.bill(HUNDRED)
    swept = (50 + 0.5 * 100 * WINDOW) * MONTH / WINDOW / 1e6 * 0.125
    assert naive["DynamoDB reads"] == pytest.approx(ours["DynamoDB reads"] - swept + scans)
    # An index' copy of what was accepted, and one of what was decided.
    assert per_million(HUNDRED, naive)["DynamoDB writes"] == pytest.approx(6 * 0.625)
    same = ours.keys() - {"DynamoDB reads", "DynamoDB writes", "DynamoDB storage, recovery"}
    assert all(naive[each] == ours[each] for each in same)


def test_a_layout_that_scans_grows_with_history_and_ours_does_not(biller: Biller) -> None:
    short, long = (replace(HUNDRED, history=days) for days in (3, 300))
    assert biller.bill(long)["DynamoDB reads"] == biller.bill(short)["DynamoDB reads"]
    assert biller.naive(long)["DynamoDB reads"] > 50 * biller.naive(short)["DynamoDB reads"]


def test_the_committed_counts_show_no_growth_either() -> None:
    history = read_counted().history
    assert max(history) == 100 * min(history)
    assert len({each.read() for each in history.values()}) == 1


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    moto_tables.mend()
    with mock_aws(), listening(client("dynamodb")) as found:
        yield found


def test_the_sweep_reads_the_same_with_ten_and_a_hundred_times_the_history(tally: Tally) -> None:
    once, ten, hundred = (
        looking_back(tally, io.StringIO(), window=20, history=history) for history in (12, 120, 1_200)
    )
    assert sum(each for name, each in once.units.items() if name.startswith("read")) > 20
    assert once.units == ten.units == hundred.units
    assert once.calls == ten.calls == hundred.calls


def test_a_sweep_over_more_transactions_reads_more(tally: Tally) -> None:
    few, many = (looking_back(tally, io.StringIO(), window=window) for window in (20, 60))
    assert many.units["read decided"] - few.units["read decided"] == 40 * 0.5


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1_024, 1), (1_025, 2), (10_240, 10)])
def test_a_write_takes_a_unit_for_each_begun_kilobyte(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(
    ("size", "consistent", "units"), [(0, True, 1), (0, False, 0.5), (4_096, True, 1), (4_097, False, 1)]
)
def test_a_read_takes_one_for_each_begun_four(size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent=consistent) == units


def test_the_size_of_an_item_is_its_names_and_values() -> None:
    assert size_of({"pk": {"S": "äb"}, "n": {"N": "-1"}, "b": {"B": b"1234"}}) == 2 + 3 + 1 + 3 + 1 + 4


def test_an_index_is_written_where_its_entry_changes(tally: Tally) -> None:
    table_of = tally.table(looking_back_table())
    (by_day,) = (each for each in table_of.indexes if each.name == "by-day")
    alert = {"pk": {"S": "alert#1"}, "sk": {"S": "alert"}, "day": {"S": "d"}, "occurred_at": {"N": "1"}}
    assert by_day.units({}, alert) == 1
    assert by_day.units(alert, alert) == 0
    assert by_day.units(alert, alert | {"hits": {"N": "2"}}) == 1
    assert by_day.units(alert, alert | {"day": {"S": "e"}}) == 2
    assert by_day.units({}, {"pk": {"S": "policy"}, "sk": {"S": "1"}}) == 0
    assert kind_of(alert) == "alert"


def looking_back_table() -> str:
    names: list[str] = client("dynamodb").list_tables()["TableNames"]
    return next(each for each in names if each.startswith("state-"))


def test_counts_are_written_as_toml() -> None:
    assert list(toml({"a": 1, "b": {"c d": 0.25, "e": {"f": "x"}}})) == [
        "a = 1", "\n[b]", '"c d" = 0.2', "\n[b.e]", 'f = "x"',
    ]  # fmt: skip


def test_a_table_and_amounts_are_as_people_read_them() -> None:
    assert table(["", "a"], [["b", "1"]]) == "|  | a |\n| --- | --: |\n| b | 1 |"
    amounts = (0.005001, 999.994, 1_000, 1_234_567.8)
    assert [dollars(each) for each in amounts] == ["0.01", "999.99", "1,000", "1,234,568"]


BACKWARDS = """
from infra.costs import layout
from infra.settings import Settings

settings = Settings(suffix="prod")
declared = list(layout._declared(settings))
one, other = (repr(layout.layout_of(each, settings)) for each in (declared, declared[::-1]))
assert one == other, f"{one}\\n{other}"
"""


def test_a_layout_is_the_same_however_the_resources_come() -> None:
    run = subprocess.run(
        [sys.executable, "-c", BACKWARDS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_page_is_what_is_computed_now() -> None:
    command = [sys.executable, "-m", "infra.costs", "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
