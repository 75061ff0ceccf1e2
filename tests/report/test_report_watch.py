"""What the report says of models, drift, rules and calibration."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from shroff.adapters.memory.drafts import MemoryDrafts
from shroff.flows.figures import WATCH
from shroff.flows.report import CSV, report_some
from shroff.flows.report.watch import REMEMBERED
from shroff.ports import Label
from tests.report.test_report_page import Seen
from tests.report.watched import CHALLENGER, CHAMPION, FIRST_DAY, Weeks
from tests.report.world import DAY_LONG, EMPTY


class Left:
    """Time for so many windows."""

    def __init__(self, windows: int) -> None:
        self.windows = windows

    def __call__(self) -> bool:
        self.windows -= 1
        return self.windows > 0


@pytest.fixture
def weeks() -> Weeks:
    return Weeks()


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["drift"]["columns"] if each["name"] == name)


def rule(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["rules"] if each["rule"] == name)


def test_what_is_as_it_was_is_stable_and_every_rule_as_usual(weeks):
    for _ in range(8):
        weeks.report(weeks.day(1_000))
    found = weeks.report(weeks.day(1_000), label_days=None)
    assert found["warnings"] == []
    assert {each["state"] for each in found["drift"]["columns"]} == {"stable"}
    assert found["drift"]["days"] == 8
    assert [rule(found, name)["state"] for name in ("early", "large", "huge")] == ["usual", "never", "never"]


def test_a_shifted_feature_is_reported_with_its_median_now_and_before(weeks):
    weeks.reported(8)
    day = weeks.day(1_200, times=4.0)
    found = weeks.report(day)
    amount = column(found, "amount")
    assert amount["state"] == "shifted"
    assert amount["today"]["median"] > 3 * amount["before"]["median"]
    assert column(found, f"model.{CHALLENGER.version}")["state"] == "stable"
    assert column(found, "attributes.risk")["state"] == "stable"
    [said] = [each for each in found["warnings"] if each.startswith("amount ")]
    assert said.startswith("amount has shifted (PSI ")
    assert said in Seen(weeks.page(day)).text


def test_a_rule_that_hit_every_day_and_now_never_has_gone_silent(weeks):
    weeks.reported(8)
    day = weeks.day(400, hours=(1, 24))
    found = weeks.report(day)
    assert (rule(found, "early")["state"], rule(found, "early")["hits"]) == ("silent", 0)
    assert rule(found, "huge")["state"] == "never"
    [said] = [each for each in found["warnings"] if each.startswith("Rule ")]
    assert said == "Rule early has gone silent: no hit, where 17 were to be expected."
    assert said in Seen(weeks.page(day)).text


def test_a_rule_that_hits_far_more_than_usual_is_spiking(weeks):
    weeks.reported(8)
    found = weeks.report(weeks.day(200, hours=(0, 3)))
    assert rule(found, "early")["state"] == "spiking"
    assert any(each.startswith("Rule early is spiking: ") for each in found["warnings"])


def test_nothing_is_said_of_rules_before_a_week_is_known_nor_of_drift_with_too_few(weeks):
    weeks.reported(2)
    found = weeks.report(weeks.day(1_000, times=9.0), label_days=None)
    assert {each["psi"] for each in found["drift"]["columns"]} == {None}
    assert {each["state"] for each in found["rules"]} == {None}
    assert found["warnings"] == []
    text = Seen(weeks.page(_last(weeks))).text
    assert "against many more in the reports of the 28 days before, which hold 400" in text
    assert "Nothing is said of rules before seven earlier days were reported." in text


def _last(weeks: Weeks) -> date:
    return FIRST_DAY + timedelta(days=weeks.days - 1)


def test_models_are_side_by_side_with_what_they_stop_and_where_they_differ(weeks):
    day = weeks.day(500)
    found = weeks.report(day)
    champion, challenger = found["models"]
    assert (champion["version"], champion["role"]) == (CHAMPION.version, "champion")
    assert (challenger["version"], challenger["role"]) == (CHALLENGER.version, "challenger")
    assert champion["transactions"] == challenger["transactions"] == 500
    differing = sum(each["transactions"] for each in challenger["differences"])
    assert challenger["agreement"] == pytest.approx(1 - differing / 500)
    assert champion["agreement"] == 1
    for each in (champion, challenger):
        assert each["thresholds"] == [{"outcome": "review", "from": 0.5, "transactions": each["alerted"]}]
        assert each["outcomes"] == {"approve": 500 - each["alerted"], "review": each["alerted"]}
    assert CHALLENGER.version[:12] in Seen(weeks.page(day)).text


def test_a_challenger_that_would_have_caught_more_is_seen_to_over_the_same_transactions(weeks):
    weeks.reported(8)
    found = weeks.report(weeks.day())
    judged = found["models"][1]["labelled"]
    assert (judged["from"], judged["to"]) == ("2018-07-02", "2018-07-07")
    assert judged["frauds"] + judged["legitimate"] == 6 * 200
    assert judged["recall"] > 5 * judged["champion"]["recall"]
    assert judged["average_precision"] > 3 * judged["champion"]["average_precision"]
    assert found["models"][0]["labelled"]["average_precision"] == judged["champion"]["average_precision"]


def test_scores_that_came_true_are_told_from_those_that_did_not_by_week(weeks):
    weeks.reported(11)
    found = weeks.report(weeks.day())
    told = {(each["model"], each["from"]): each for each in found["calibration"]["weeks"]}
    assert {at for _, at in told} == {"2018-07-02", "2018-07-09"}
    champion = told[CHAMPION.version, "2018-07-02"]
    assert (champion["days"], champion["transactions"], champion["week"]) == (7, 1_400, "2018-W27")
    assert champion["verdict"] == "too low"
    assert champion["mean_score"] < champion["low"] < champion["fraud_rate"] < champion["high"]
    assert sum(each["frauds"] for each in champion["by_score"]) == champion["frauds"]
    assert told[CHALLENGER.version, "2018-07-02"]["verdict"] is None
    said = f"Model {CHAMPION.version} scored too low in the week of 2018-07-02"
    assert any(each.startswith(said) for each in found["warnings"])


def test_labels_that_are_not_known_when_a_day_is_ripe_are_not_counted(weeks):
    weeks.report(weeks.day(told=9))
    for _ in range(5):
        weeks.report(weeks.day())
    found = weeks.report(weeks.day())
    [week] = [each for each in found["calibration"]["weeks"] if each["model"] == CHAMPION.version]
    assert (week["scored"], week["labelled"]) == (4 * 200, 3 * 200)


def test_where_only_fraud_is_ever_told_silence_means_legitimate(weeks):
    add = weeks.store.labels.add
    weeks.store.labels.add = lambda labels: add([each for each in labels if each.fraud])
    weeks.reported(8)
    [week, _] = weeks.report(weeks.day())["calibration"]["weeks"]
    assert week["silence_is_legitimate"]
    assert week["transactions"] == week["scored"] == 6 * 200
    assert 0 < week["labelled"] == week["frauds"] < 300


def test_what_was_judged_once_is_kept_and_says_the_same_as_judging_it_again(weeks):
    weeks.reported(9)
    day, asked = weeks.day(), []
    between = weeks.store.ledger.between

    def counted(start: int, end: int):
        asked.append(end - start)
        return between(start, end)

    weeks.store.ledger.between = counted
    kept = weeks.report(day)
    few = len(asked)
    for key in [key for key in weeks.shelf.files if key[1] == WATCH and key[0] != day.isoformat()]:
        found = json.loads(weeks.shelf.files[key])
        weeks.shelf.files[key] = json.dumps(found | {"ripe": {}}).encode()
    asked.clear()
    assert weeks.report(day) == kept
    assert few < len(asked)
    assert set(asked) == {DAY_LONG}


def test_only_the_days_before_count_and_no_more_than_four_weeks_of_them(weeks):
    weeks.reported(3)
    first = weeks.files(day := _last(weeks))[:3]
    weeks.reported(2)
    weeks.report(day)
    assert weeks.files(day)[:3] == first
    weeks.days += REMEMBERED
    assert weeks.report(weeks.day())["drift"]["days"] == 0


def test_without_labels_nothing_is_said_of_them(weeks):
    day = weeks.day()
    found = weeks.report(day, label_days=None)
    assert found["calibration"] == {"label_days": None, "weeks": None}
    assert [each["labelled"] for each in found["models"]] == [None, None]
    assert "Calibration" not in Seen(weeks.page(day)).text


@pytest.mark.parametrize("windows", [1, 7, 100])
def test_a_report_in_several_runs_says_the_same_of_models_and_keeps_the_same(weeks, windows):
    weeks.reported(8)
    day, store, whole = weeks.day(300), weeks.store, dict(weeks.shelf.files)
    weeks.report(day, label_days=None)
    alone, weeks.shelf.files, drafts = weeks.files(day), whole, MemoryDrafts()
    run = partial(
        report_some,
        day,
        ledger=store.ledger,
        alerts=store.alerts,
        dead_letters=store.dead_letters,
        policies=store.policies,
        audit=lambda _: EMPTY,
        reports=weeks.shelf,
        drafts=drafts,
    )
    runs = 1
    while run(time_left=Left(windows)) is None:
        runs += 1
    assert runs > 1
    weeks.shelf.files[day.isoformat(), CSV] = drafts.tables[day.isoformat(), CSV]
    assert weeks.files(day) == alone


def test_labels_that_come_after_their_day_was_judged_are_counted_by_the_next_report(weeks):
    add = weeks.store.labels.add
    held: list[Label] = []
    weeks.store.labels.add = held.extend
    weeks.reported(7)
    found = weeks.report(weeks.day())
    assert {each["labelled"] for each in found["calibration"]["weeks"]} == {0}
    assert {each["verdict"] for each in found["calibration"]["weeks"]} == {None}
    add(held)
    again = weeks.report(_last(weeks))
    assert {each["labelled"] for each in again["calibration"]["weeks"]} == {5 * 200}
    weeks.store.labels.add = add
    assert {each["labelled"] for each in weeks.report(weeks.day())["calibration"]["weeks"]} == {6 * 200}
