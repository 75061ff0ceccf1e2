"""The rule language: what expressions mean, and that one compiled form gives it for any batch."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shroff.core.expression import FUNCTIONS, ExpressionError, Kind, Program, check

NAMES = {
    "amount": Kind.NUMBER,
    "customer.count_5m": Kind.NUMBER,
    "customer.amount_mean_30d": Kind.NUMBER,
    "merchant": Kind.TEXT,
    "country": Kind.TEXT,
    "list.blocked": Kind.BOOL,
    "is_new": Kind.BOOL,
}
NAN = math.nan
Row = dict[str, Any]


def columns(rows: list[Row]) -> dict[str, NDArray[Any]]:
    """Rows as columns; a name that a row does not give is missing, or false."""
    dtypes = {Kind.NUMBER: np.float64, Kind.TEXT: np.object_, Kind.BOOL: np.bool_}
    blanks = {Kind.NUMBER: NAN, Kind.TEXT: None, Kind.BOOL: False}
    return {
        name: np.array([row.get(name, blanks[kind]) for row in rows], dtype=dtypes[kind])
        for name, kind in NAMES.items()
    }


def evaluate(source: str, row: Row | None = None, **values: object) -> Any:
    """What an expression gives for one row."""
    program = Program([check(source, NAMES)])
    [answer] = program.run(columns([{**(row or {}), **values}]), 1)
    assert answer.shape == (1,)
    return answer[0]


# What expressions mean


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        ("amount > 9", True),
        ("amount > 10", False),
        ("amount >= 10", True),
        ("amount < 10", False),
        ("amount <= 10", True),
        ("amount == 10", True),
        ("amount != 10", False),
        ("amount != 9", True),
        ("5 < amount <= 10", True),
        ("5 < amount < 10", False),
        ("1 < 5 < amount != 3", True),
        ("amount in (1, 10)", True),
        ("amount in [1, -10]", False),
        ("amount not in (1, 2)", True),
        ("amount not in (1, 10)", False),
        ('merchant == "Shop"', True),
        ('merchant != "Shop"', False),
        ('merchant != "shop"', True),
        ('merchant in ("Café", "Shop")', True),
        ('merchant not in ("Café", "Shop")', False),
        ('"Shop" == merchant', True),
        ("merchant == country", False),
        ("merchant != country", True),
        ("is_new", True),
        ("not is_new", False),
        ("is_new and list.blocked", False),
        ("is_new or list.blocked", True),
        ("not (is_new and list.blocked)", True),
        ("amount > 5 if is_new else amount > 50", True),
        ("amount > 5 if list.blocked else amount > 50", False),
        ('merchant == ("Shop" if is_new else "Other")', True),
        ("missing(amount)", False),
        ("missing(list.blocked)", False),
        ('startswith(merchant, "Sh") and endswith(merchant, "op") and contains(merchant, "ho")', True),
        ('startswith(merchant, "op") or endswith(merchant, "Sh") or contains(merchant, "x")', False),
        ('lower(merchant) == "shop"', True),
        ("lower(merchant) == lower('SHOP')", True),
        ("True", True),
        ("False", False),
        ("1 > 0", True),
        ("'a' != 'a'", False),
    ],
)
def test_an_expression_is_true_or_false(source: str, truth: bool) -> None:
    row = {"amount": 10, "merchant": "Shop", "country": "GB", "is_new": True}
    answer = evaluate(source, row)
    assert answer.dtype == np.bool_
    assert answer == truth


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("amount + 1", 8.5),
        ("amount - 1", 6.5),
        ("amount * -2", -15.0),
        ("-amount", -7.5),
        ("amount / 2", 3.75),
        ("amount // 2", 3.0),
        ("-amount // 2", -4.0),
        ("amount % 2", 1.5),
        ("-amount % 2", 0.5),
        ("1 + 2 * amount", 16.0),
        ("(1 + 2) * amount", 22.5),
        ("1_000 + .5 + 1e3", 2000.5),
        ("abs(1 - amount)", 6.5),
        ("min(amount, 3, 9)", 3.0),
        ("max(amount, 3)", 7.5),
        ("max(1, 2, 3, 4, 5, 6, 7, amount)", 7.5),
        ("round(amount)", 8.0),
        ("round(2.5)", 2.0),
        ("round(4.165, 2)", 4.17),
        ("round(amount / 7, 2)", 1.07),
        ("floor(amount)", 7.0),
        ("floor(-amount)", -8.0),
        ("sqrt(amount + 1.5)", 3.0),
        ("log(1)", 0.0),
        ("length(merchant)", 4.0),
        ("coalesce(amount, 1)", 7.5),
        ("coalesce(customer.count_5m, 1)", 1.0),
        ("coalesce(customer.count_5m, amount)", 7.5),
        ("amount if is_new else 0", 0.0),
        ("42", 42.0),
        ("-1", -1.0),
    ],
)
def test_an_expression_is_a_number(source: str, number: float) -> None:
    answer = evaluate(source, amount=7.5, merchant="Shop")
    assert answer.dtype == np.float64
    assert answer == number


def test_an_expression_is_a_text() -> None:
    program = Program([check('coalesce(lower(merchant), "nowhere")', NAMES)])
    [answer] = program.run(columns([{"merchant": "Shop"}, {}]), 2)
    assert answer.tolist() == ["shop", "nowhere"]


def test_a_number_too_large_for_decimals_rounds_to_itself() -> None:
    assert evaluate("round(amount, 6)", amount=1.7e308) == 1.7e308


# What missing values do


@pytest.mark.parametrize(
    "comparison", ["> 1", ">= 1", "< 1", "<= 1", "== 1", "!= 1", "in (1, 2)", "not in (1, 2)"]
)
@pytest.mark.parametrize(
    "missing", ["amount", "amount + 1", "-amount", "log(amount)", "min(amount, 0)", "1 / 0"]
)
def test_a_missing_number_makes_every_comparison_false(missing: str, comparison: str) -> None:
    assert not evaluate(f"{missing} {comparison}")


@pytest.mark.parametrize(
    "comparison", ['== "a"', '!= "a"', 'in ("a", "b")', 'not in ("a", "b")', "== country"]
)
@pytest.mark.parametrize("missing", ["merchant", "lower(merchant)"])
def test_a_missing_text_makes_every_comparison_false(missing: str, comparison: str) -> None:
    assert not evaluate(f"{missing} {comparison}")


@pytest.mark.parametrize(
    "source",
    [
        "0 < amount < 9",
        "9 > 1 > amount",
        "merchant != country",
        'startswith(merchant, "a")',
        'endswith(merchant, "a")',
        'contains(merchant, "a")',
        'contains(merchant, "")',
    ],
)
def test_a_missing_value_anywhere_makes_the_test_false(source: str) -> None:
    assert not evaluate(source)


def test_not_is_asked_after_the_comparison_so_it_is_true_of_a_missing_value() -> None:
    assert evaluate("not amount > 5")
    assert not evaluate("amount <= 5")


@pytest.mark.parametrize(
    "source",
    [
        "amount",
        "1 / amount",
        "amount % 0",
        "amount // 0",
        "5 / (amount - amount)",
        "merchant",
        "length(merchant)",
    ],
)
def test_missing_asks(source: str) -> None:
    assert evaluate(f"missing({source})")
    assert not evaluate(f"not missing({source})")


@pytest.mark.parametrize(
    "source",
    ["amount / 0", "amount // 0", "amount % 0", "sqrt(-amount)", "log(0)", "log(-amount)", "amount * amount"],
)
def test_a_result_that_is_not_finite_is_missing(source: str) -> None:
    assert math.isnan(evaluate(source, amount=1e200))


def test_an_infinite_value_counts_as_missing() -> None:
    assert not evaluate("amount > 5", amount=math.inf)
    assert evaluate("missing(amount)", amount=-math.inf)


# How expressions run


def test_constants_fill_the_batch() -> None:
    program = Program([check(source, NAMES) for source in ("True", "1 > 0", "2", "'a'", "not True")])
    answers = program.run({}, 3)
    assert [answer.tolist() for answer in answers] == [
        [True] * 3,
        [True] * 3,
        [2.0] * 3,
        ["a"] * 3,
        [False] * 3,
    ]


def test_answers_come_in_the_order_of_the_expressions() -> None:
    sources = ["amount", "amount > 1", "merchant", "is_new", "amount + 1", "amount > 1"]
    answers = Program([check(source, NAMES) for source in sources]).run(
        columns([{"amount": 2, "merchant": "a", "is_new": True}]), 1
    )
    assert [answer[0] for answer in answers] == [2.0, True, "a", True, 3.0, True]


def test_an_empty_batch_has_empty_answers() -> None:
    program = Program([check("amount > 1", NAMES), check("merchant", NAMES), check("True", NAMES)])
    assert [answer.shape for answer in program.run(columns([]), 0)] == [(0,)] * 3


def test_a_program_without_expressions_answers_nothing() -> None:
    assert Program([]).run({}, 3) == []


def test_a_program_names_the_columns_it_reads_and_needs_no_other() -> None:
    program = Program([check("amount > 1", NAMES), check("missing(merchant)", NAMES)])
    assert program.names == {"amount", "merchant"}
    with pytest.raises(KeyError, match="merchant"):
        program.run({"amount": np.array([1.0])}, 1)


def test_a_column_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="column amount has 1 rows, not 2"):
        Program([check("amount > 1", NAMES)]).run({"amount": np.array([1.0])}, 2)


def test_a_run_leaves_its_columns_and_its_earlier_answers_alone() -> None:
    program = Program([check("amount + 1", NAMES), check("lower(merchant)", NAMES)])
    first = columns([{"amount": math.inf, "merchant": "A"}])
    early = program.run(first, 1)
    program.run(columns([{"amount": 5, "merchant": "B"}]), 1)
    assert first["amount"][0] == math.inf
    assert early[1].tolist() == ["a"]
    assert np.isnan(early[0]).all()


def test_what_expressions_share_is_evaluated_once() -> None:
    shared = "amount / customer.count_5m > 3"
    one = Program([check(shared, NAMES)])
    many = Program(
        [check(f"{shared} and is_new", NAMES), check(f"is_new and {shared}", NAMES), check(shared, NAMES)]
    )
    assert many.operations == one.operations + 1


# What a check says


def test_a_checked_expression_knows_its_kind_and_names() -> None:
    expression = check(" amount > 3 * customer.amount_mean_30d\n and not list.blocked ", NAMES)
    assert expression.kind is Kind.BOOL
    assert expression.names == {"amount", "customer.amount_mean_30d", "list.blocked"}
    assert pickle.loads(pickle.dumps(expression)) == expression


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "3 <= customer.amount_meen_30d",
            "unknown name customer.amount_meen_30d at column 6; did you mean customer.amount_mean_30d?",
        ),
        ("amount > merchant", "cannot compare number with text at column 10"),
        ("is_new == True", "cannot compare bool with bool at column 11; a bool stands alone: x, not x"),
        ('merchant < "b"', "text has no order at column 12; compare text with ==, != or in"),
        ("amount and is_new", "`and` cannot take number at column 1; it takes bool, such as a comparison"),
        ("1 + merchant", "`+` cannot take text at column 5; it takes number"),
        ("missing(None)", "`None` is not part of the rule language at column 9; ask with missing(x)"),
        ("len(merchant) > 3", "unknown function len at column 1; did you mean length?"),
        ("amount ** 2 > 3", "`**` is not part of the rule language at column 8; multiply instead"),
        ("amount = 3", "`=` is not part of the rule language at column 8; compare with =="),
        ('country in ("GB" "US")', "two texts side by side at column 18; put a comma between them"),
        ('country in ("GB")', '`in` needs a list of constants at column 13; write it as in ("GB", "US")'),
        ("round(amount, 7)", "round takes 0 to 6 digits at column 15"),
        ("min(amount)", "min cannot take (number) at column 1; it is min(number, number, ...) -> number"),
        ("amount > 1e16", "a number beyond 1e+15 at column 10"),
        ("(amount > 1", "`(` is never closed at column 1"),
        (
            "amount >",
            "cannot be read as an expression at column 9; here a value or a sign is missing, or too much",
        ),
        ("'é' == merchant or amout > 1", "unknown name amout at column 20; did you mean amount?"),
        ("  amount > 1 and\n  amout > 2", "unknown name amout at line 2, column 3; did you mean amount?"),
        ("\n  amout > 2\n", "unknown name amout at column 3; did you mean amount?"),
    ],
)
def test_a_refusal_says_what_where_and_what_instead(source: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        check(source, NAMES)
    assert str(refusal.value) == said


def test_a_refusal_survives_pickling() -> None:
    with pytest.raises(ExpressionError) as refusal:
        check("amout > 1", NAMES)
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.hint) == (str(refusal.value), "did you mean amount?")


def test_a_chain_of_shared_choices_stays_small() -> None:
    source = "amount"
    for _ in range(20):
        source = f"coalesce({source}, 1)"
    doubled = f"1 < ({source} if {source} != 2 else 3) < 9"
    assert len(check(doubled, NAMES).nodes) < 60


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_how_it_is_called_and_what_it_answers(name: str) -> None:
    function = FUNCTIONS[name]
    assert function.usage.startswith(f"{name}(")
    assert function.meaning.endswith(".")
