"""Reading a policy: every fault at once, with its place and a hint; a version that is the content's."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shroff
from shroff.core.errors import Rejected
from shroff.core.policy import OUTCOMES
from shroff.core.policy_document import read_policy
from tests.core.samples import DOCUMENT

DEFAULT = (Path(shroff.__file__).parent / "policies" / "default.toml").read_text()


def faults(document: str) -> dict[str, str]:
    """Place → problem."""
    with pytest.raises(Rejected) as caught:
        read_policy(document)
    return {fault.field: fault.problem.removeprefix(f"{fault.field}: ") for fault in caught.value.faults}


def changed(old: str, new: str) -> str:
    assert old in DOCUMENT
    return DOCUMENT.replace(old, new)


def test_the_default_policy_is_sound_and_has_what_the_product_promises() -> None:
    policy = read_policy(DEFAULT)
    assert policy.name == "default"
    assert {"customer", "card", "device", "ip"} <= set(policy.entities)
    assert [rule.name for rule in policy.sweep.rules] == ["high_amount", "high_frequency"]
    assert {"blocked_customers", "trusted_customers"} <= set(policy.lists)
    assert (policy.sweep.every, policy.sweep.window, policy.sweep.by) == (300_000, 300_000, "customer")


def test_an_empty_policy_approves_everything() -> None:
    policy = read_policy("")
    assert (policy.rules, policy.layouts, policy.sweep.rules) == ((), (), ())
    assert (policy.base_currency, policy.lateness, policy.alert_from) == ("USD", 86_400_000, 2)


def test_a_policy_needs_no_entities() -> None:
    [rule] = read_policy('[[rules]]\nname = "big"\nwhen = "amount > 5"\noutcome = "review"').rules
    assert (rule.entity, rule.reason, rule.score) == ("transaction", "big", 0.0)


FAULTS = [
    ("[rates]", "[rate]", "rate", 'unknown key "rate"; did you mean rates?'),
    ("EUR = 1.1", "EUR = 0", "rates.EUR", "must be a number from"),
    ("EUR = 1.1", 'EUR = "1.1"', "rates.EUR", "must be a number from"),
    ("EUR = 1.1", "EUR = true", "rates.EUR", "must be a number from"),
    ("EUR = 1.1", "EUR = nan", "rates.EUR", "must be a number from"),
    ("EUR = 1.1", "EUP = 1.1", "rates.EUP", 'unknown currency "EUP"; did you mean EUR?'),
    ("EUR = 1.1", "USD = 1.1", "rates.USD", "is the base currency, whose rate is 1"),
    ('card = "card_id"', 'card = "cardid"', "entities.card", "must be one or several of customer_id"),
    ('card = "card_id"', "card = 5", "entities.card", "must be one or several of customer_id"),
    ('["customer_id", "merchant"]', '["merchant", "merchant"]', "entities.pair", "must be one or several of"),
    ('card = "card_id"', 'window = "card_id"', "entities.window", "have a meaning of their own"),
    ('card = "card_id"', 'Card = "card_id"', "entities.Card", "a name must be lower case letters"),
    ('terminal = "text"', 'terminal = "string"', "attributes.terminal", "must be one of number, text, bool"),
    ('terminal = "text"', '"a b" = "text"', "attributes.a b", "rules can name only letters"),
    ("card = [", "crad = [", "features.crad", 'unknown entity "crad"; did you mean card?'),
    ("card = [", 'card = "count_1h"\nx = [', "features.card", "must be a list of different feature names"),
    ('["count_30d"]', '["count_30d", "count_30d"]', "features.pair", "must be a list of different"),
    ('["count_30d"]', '["cuont_30d"]', "features.pair", "did you mean count_30d?"),
    ('["count_30d"]', "[5]", "features.pair", '"5" is not a feature'),
    ('field = "customer_id"', 'feild = "customer_id"', "lists.blocked.feild", "did you mean field?"),
    ('field = "customer_id"', 'field = "amount"', "lists.blocked.field", "must be the member"),
    ('name = "high"', 'nmae = "high"', "rules[1].name", "must be a non-empty string"),
    ('name = "high"', 'name = "High!"', "rules.High!.name", "a name must be lower case letters"),
    ('name = "high"', 'name = "score"', "rules.score.name", "is what decisions by their score"),
    ('name = "high"', 'name = "fast"', "rules", 'the name "fast" is used more than once'),
    ("customer.count_5m >=", "customer.cuont_5m >=", "rules.fast.when", "unknown name customer.cuont_5m at"),
    ("{customer.count_5m}", "{customer.cuont_5m}", "rules.fast.reason", "did you mean customer.count_5m?"),
    ('when = "amount > 3 * customer.amount_mean_1d"', 'when = "amount"', "rules.high.when", "must be a bool"),
    ('when = "amount > 3 * customer.amount_mean_1d"', "when = 5", "rules.high.when", "an expression is text"),
    ('when = "amount > 3 * customer.amount_mean_1d"', "", "rules.high.when", ""),
    ('outcome = "review"', 'outcome = "refuse"', "rules.high.outcome", "must be one of approve, challenge"),
    ('outcome = "review"', "", "rules.high.outcome", "must be one of approve, challenge"),
    ("score = 0.4", "score = 1.4", "rules.high.score", "must be a number from 0 to 1"),
    ("score = 0.4", "score = true", "rules.high.score", "must be a number from 0 to 1"),
    ("score = 0.4", 'entity = "crad"', "rules.high.entity", 'unknown entity "crad"; did you mean card?'),
    ("score = 0.4", "entity = []", "rules.high.entity", "unknown entity"),
    ("review = 0.45", "review = -1", "thresholds.review", "must be a number from 0 to 1"),
    ("review = 0.45", "approve = 0.1", "thresholds.approve", 'unknown key "approve"'),
    ("review = 0.45", "review = 0.9", "thresholds", "must rise from challenge to review to decline"),
    ('by = "customer"', 'by = "costumer"', "sweep.by", "did you mean customer?"),
    ('by = "customer"', 'every = "5"', "sweep.every", '"5" is not a duration'),
    ("window.count > 10", "window.cuont > 10", "sweep.rules.high_frequency.when", "mean window.count?"),
    ('score = "window.count / 10"', 'score = "true"', "sweep.rules.high_frequency.score", "write True"),
    ('name = "sample"', 'base_currency = "EURO"', "base_currency", 'unknown currency "EURO"'),
    ('name = "sample"', 'lateness = "soon"', "lateness", '"soon" is not a duration'),
    ('name = "sample"', 'alert_from = "never"', "alert_from", "must be one of approve, challenge"),
    ('name = "sample"', "name = 5", "name", "must be a non-empty string"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "told"), FAULTS)
def test_a_fault_is_found_at_its_place_with_a_hint(old: str, new: str, place: str, told: str) -> None:
    found = faults(changed(old, new))
    assert told in found[place]


def test_all_faults_come_at_once() -> None:
    document = DOCUMENT.replace("count_5m >=", "cuont_5m >=").replace("score = 0.9", "score = 9")
    document = (
        document.replace("EUR = 1.1", "EUR = -1").replace('"text"', '"word"').replace("[sweep]", "[sweeep]")
    )
    assert {"rules.fast.when", "rules.listed.score", "rates.EUR", "attributes.terminal"} <= set(
        faults(document)
    )


@pytest.mark.parametrize(
    "document",
    ["name =", "[a]\n[a]", "x = " + "[" * 5_000, "x = 1" + "0" * 5_000, "x = 1e99999999999999999999", "\0"],
    ids=["half", "twice", "deep", "long", "huge", "zero"],
)
def test_what_is_no_toml_is_one_fault(document: str) -> None:
    assert list(faults(document)) == ["policy"]


@pytest.mark.parametrize(
    "document",
    ["rules = 5", "rules = [5]", "[rules]\nx = 1", "features = 5", "entities = []",
     "lists.x = 5", "sweep = 5", "rates = 1", "thresholds = []",
     "sweep.rules = 1", "attributes.x = []", "[[rules]]\nname = []"],
)  # fmt: skip
def test_a_value_of_another_sort_is_a_fault(document: str) -> None:
    assert faults(document)


def test_a_camel_case_attribute_can_be_used_in_a_rule() -> None:
    document = changed('terminal = "text"', 'terminalId = "text"\nterminal = "text"')
    document = document.replace("attributes.terminal ==", "attributes.terminalId ==")
    assert "attributes.terminalId" in read_policy(document).names_used


def toml(value: Any, place: str = "") -> str:
    """TOML of a table, its keys in the order of the dict."""
    plain, tables = list[str](), list[str]()
    for key, each in value.items():
        inner = f"{place}.{key}".lstrip(".")
        if isinstance(each, dict):
            tables.append(f"[{inner}]\n{toml(each, inner)}")
        elif isinstance(each, list) and each and isinstance(each[0], dict):
            tables += [f"[[{inner}]]\n{toml(one, inner)}" for one in each]
        else:
            text = repr(each).lower() if isinstance(each, bool | float | int) else _quoted(each)
            plain.append(f"{key}   =  {text}  # {len(plain)}")
    return "\n\n".join([*plain, *tables]) + "\n"


def _quoted(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_quoted, value))}]"
    return '"""' + value.replace("\\", "\\\\") + '"""'


def shuffled(value: Any, source: random.Random) -> Any:
    if isinstance(value, dict):
        keys = source.sample(sorted(value), len(value))
        return {key: shuffled(value[key], source) for key in keys}
    return [shuffled(each, source) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("document", [DOCUMENT, DEFAULT], ids=["sample", "default"])
@given(source=st.randoms(use_true_random=False))
def test_comments_spacing_and_the_order_of_keys_change_neither_version_nor_columns(
    document: str, source: random.Random
) -> None:
    policy = read_policy(document)
    again = read_policy("# other\n" + toml(shuffled(tomllib.loads(document), source)))
    assert again.version == policy.version
    assert again.snapshot_names == policy.snapshot_names
    assert again.state_key == policy.state_key
    assert again.rules == policy.rules


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("score = 0.4", "score = 0.41"),
        ("EUR = 1.1", "EUR = 1.2"),
        ("count_5m >= 3", "count_5m >= 4"),
        ("review = 0.45", "review = 0.44"),
        ('name = "sample"', 'name = "other"'),
        ('"since_last_1d"', '"count_1d"'),
    ],
)
def test_any_change_of_content_is_another_version(old: str, new: str) -> None:
    assert read_policy(changed(old, new)).version != read_policy(DOCUMENT).version


def test_the_same_number_written_otherwise_is_the_same_version() -> None:
    assert read_policy(changed("score = 0.4", "score = 0.40")).version == read_policy(DOCUMENT).version


def test_only_what_shapes_the_windows_changes_the_state_s_key() -> None:
    key = read_policy(DOCUMENT).state_key
    assert read_policy(changed("score = 0.4", "score = 0.5")).state_key == key
    for old, new in [
        ("EUR = 1.1", "EUR = 1.2"),
        ("count_1h", "count_2h"),
        ("[rates]", 'lateness = "2d"\n[rates]'),
    ]:
        assert read_policy(changed(old, new)).state_key != key


def test_outcomes_are_named_from_mild_to_severe() -> None:
    assert OUTCOMES == ("approve", "challenge", "review", "decline")


DERIVED = """
[entities]
customer = "customer_id"
merchant = "merchant"
[features]
customer = ["count_1h"]
[derived]
pace = "customer.count_1h * 2"
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ('pace = "', 'Pace = "', "derived.Pace", "a name must be lower case"),
        ("customer.count_1h * 2", "customer.count_2h * 2", "derived.pace", "customer.count_1h"),
        ("customer.count_1h * 2", "amount > 5", "derived.pace", "must be a number, and is a bool"),
        ("customer.count_1h * 2", "derived.pace + 1", "derived.pace", "derived.pace"),
        ('merchant = "merchant"', 'derived = "merchant"', "entities.derived", "a meaning of their own"),
    ],
)
def test_a_fault_in_what_is_derived_is_told(old: str, new: str, place: str, told: str) -> None:
    assert old in DERIVED
    assert told in faults(DERIVED.replace(old, new))[place]


def test_who_asks_what_amounts_explain_needs_a_habit_of_the_main_entity() -> None:
    asking = DERIVED.replace("[derived]", 'merchant = ["run_unexplained_30d"]\n[derived]')
    assert "add amount_surprise_30d" in faults(asking)["features.customer"]
    policy = read_policy(asking.replace('"count_1h"', '"count_1h", "amount_surprise_7d"'))
    assert [layout.judge for layout in policy.layouts] == [7 * 86_400_000, None]


def test_a_score_is_a_number_or_an_expression_for_one() -> None:
    rule = '[[rules]]\nname = "big"\nwhen = "amount > 5"\noutcome = "review"\nscore = '
    assert read_policy(rule + '"amount / 10"').scored.keys() == {"big"}
    assert not read_policy(rule + "0.5").scored
    assert "must be a number" in faults(rule + "true")["rules.big.score"]
    assert "must be a number, and is a bool" in faults(rule + '"amount > 7"')["rules.big.score"]
