"""Expressions that one would write to break out of the rule language, blow it up or hang it, by family."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from itertools import product

from shroff.core.expression import FUNCTIONS, Kind

NAMES = {
    "amount": Kind.NUMBER,
    "customer.count_5m": Kind.NUMBER,
    "customer.amount_mean_30d": Kind.NUMBER,
    "merchant": Kind.TEXT,
    "country": Kind.TEXT,
    "list.blocked": Kind.BOOL,
    "is_new": Kind.BOOL,
}
_NUMBERS = ("1", "amount", "customer.count_5m", "(amount + 1)")
_TEXTS = ('"a"', "merchant", "lower(country)")
_BOOLS = ("True", "is_new", "list.blocked", "(amount > 1)")
_SIGNS = ("+", "-", "*", "/", "//", "%")
_ORDERS = (">", ">=", "<", "<=")
_EQUALS = ("==", "!=")


def _each(text: str) -> Iterator[str]:
    """The lines of a text, without what they are indented by."""
    yield from (line.strip() for line in text.strip().splitlines())


def _words(text: str) -> list[str]:
    return text.split()


def attribute_walks() -> Iterator[str]:
    bases = _words('amount customer customer.count_5m merchant list (1) "" ().x abs missing(1)')
    dunders = _words("""
        __class__ __bases__ __mro__ __subclasses__ __globals__ __builtins__ __dict__ __init__ __code__
        __getattribute__ __reduce__ __func__ __self__ __module__ __doc__ __base__ __loader__ __wrapped__
        __import__ __call__
    """)
    for base, dunder in product(bases, dunders):
        yield f"{base}.{dunder}"
        yield f"{base}.{dunder}() == 1"
    yield "().__class__.__bases__[0].__subclasses__()"
    yield "amount.__class__.__mro__[1].__subclasses__()[104].load_module('os').system('id')"


def huge_powers() -> Iterator[str]:
    exponents = ("9", "99999999", "9 ** 9", "-1", "amount")
    for base, exponent in product(("9", "amount", "(9 ** 9)", "9.9", "-1", "True"), exponents):
        yield f"{base} ** {exponent} > 1"
    yield " ** ".join(["9"] * 200)
    yield "pow(9, 99999999)"
    for left, sign, right in product(_NUMBERS, ("<<", ">>", "&", "|", "^", "@"), _NUMBERS):
        yield f"{left} {sign} {right}"
    yield from (f"~{number}" for number in _NUMBERS)


def huge_constants() -> Iterator[str]:
    for digits in (17, 20, 100, 400, 1_000, 1_900):
        yield "9" * digits
        yield f"-{'9' * digits} < amount"
        yield f"amount in (1, {'9' * digits})"
    yield from (f"amount > 1e{exponent}" for exponent in (16, 99, 308, 309, 999, 99999999))
    yield from (f"amount > {number}" for number in _words("0xff 0b11 0o17 017 1__0 1_ 1j 1e5j .1e+17 1if"))
    yield f"merchant == '{'a' * 201}'"
    yield f"contains(merchant, '{'a' * 1_900}')"


def deep_nesting() -> Iterator[str]:
    around = _words("( ) [ ] { } abs( ) -( ) (- ) max(1, ) (amount+ ) (1<2< ) missing( )")
    after = _words("amount.a amount() amount[0] 1+1 1*-1 1-1 1//1")
    before = ("-", "- ", "+", "~", "not ", "1 if True else ", "lambda: ", "-+", "- -", "not -", "await ", "*")
    for depth in (51, 99, 200, 660, 999):
        for opened, closed in zip(around[::2], around[1::2], strict=True):
            yield opened * depth + "1" + closed * depth
            yield opened * depth
            yield closed * depth
        yield from (each[0] + each[1:] * depth for each in after if not each.startswith("amount"))
        yield from (
            "amount" + each.removeprefix("amount") * depth for each in after if each.startswith("amount")
        )
        yield from (each * depth + "1" for each in before)
        yield "1 if " * depth + "True" + " else 1" * depth
        yield "(1 if True else " * depth + "1" + ")" * depth
        yield "(yield " * depth + ")" * depth


def endless_work() -> Iterator[str]:
    for body, (left, right) in product(
        ("amount", "1", "x", "abs(x)", "x * x"), ("[]", "()", "{}", ("any(", ")"), ("sum(", ")"))
    ):
        yield f"{left}{body} for x in (1, 2, 3){right}"
        yield f"{left}{body} for x in range(10) for y in range(10){right}"
        yield f"{left}{body} async for x in amount{right}"
        yield f"{left}lambda x: {body}{right}"
        yield f"{left}(lambda x: x(x))(lambda x: {body}){right}"
        yield f"{left}y := {body}{right}"
        yield f"{left}yield {body}{right}"
        yield f"{left}yield from {body}{right}"
        yield f"{left}await {body}{right}"
        yield f"iter(int, {left}{body}{right})"
        yield f"while {left}{body}{right}: pass"
        yield f"for x in {left}{body}{right}: pass"


def imports_and_builtins() -> Iterator[str]:
    yield from _each("""
        import os
        from os import system
        __import__('os').system('id')
        import_module('os')
        os.system('id')
        sys.exit()
    """)
    for name in sorted({*dir(builtins)} - {*FUNCTIONS, "True", "False", "__debug__"}):
        yield name
        yield f"{name}(amount)"
        yield f"missing({name}(merchant, '__class__'))"
        yield f"amount.{name}"


def formats() -> Iterator[str]:
    for prefix in _words("f F r R b B u U rb bR fr rf t x"):
        yield f"{prefix}'{{amount}}' == merchant"
        yield f'merchant == {prefix}"a"'
        yield f"merchant in ({prefix}'a',)"
        yield f"{prefix}'''a''' == merchant"
    for text in _TEXTS:
        yield f"{text}.format(amount)"
        yield f"{text}.join((merchant, country))"
        yield f"{text} * 999999999"
        yield f"999999999 * {text}"
        yield f"-{text}"
    yield from (
        rf'merchant == "{escape}"' for escape in (r"\x00", r"\n", r"\N{BEE}", r"\ud800", r"\u0041", "\\")
    )
    yield from (
        '"a" "b" == merchant',
        '"""a""" == merchant',
        "'''a'''",
        '"',
        "'",
        "'a",
        'a"',
        "'a\n' == merchant",
    )


def indexes() -> Iterator[str]:
    bases = ("amount", "merchant", "(1, 2)", "[1]", '"abc"', "customer")
    for base, index in product(bases, ("0", "-1", ":", "::2", "'a'", "amount", "...")):
        yield f"{base}[{index}]"
        yield f"{base}[{index}] == 1"


def strange_arguments() -> Iterator[str]:
    arguments = _each("""

        *amount
        amount, *(1, 2)
        **amount
        x=amount
        amount, key=abs
        amount for amount in merchant
        1, 2, 3, 4, 5, 6, 7, 8, 9
        'a', 'b', 'c'
        (amount,)
        [amount]
        None
        ...
        amount)(amount
        amount).real(
        lambda: amount
    """)
    for name, given in product(FUNCTIONS, ("", *arguments)):
        yield f"{name}({given})"
    for name in FUNCTIONS:
        yield name
        yield f"{name}({name})"
        yield f"{name}.__call__(amount)"
        yield f"{name.upper()}(amount)"
    yield from (
        f"round(amount, {digits})" for digits in ("7", "-1", "0.5", "1e15", "amount", "True", "'1'", "1 + 1")
    )
    for name, part in product(
        ("startswith", "endswith", "contains"), ("country", "lower('a')", "1", "amount", "('a', 'b')")
    ):
        yield f"{name}(merchant, {part})"


def strange_constants() -> Iterator[str]:
    for constant in (
        "None",
        "...",
        "Ellipsis",
        "1j",
        "b'a'",
        "()",
        "[]",
        "{}",
        "{1}",
        "{1: 2}",
        "inf",
        "nan",
        "null",
    ):
        yield constant
        yield f"amount == {constant}"
        yield f"missing({constant})"
        yield f"amount in ({constant}, 1)"
        yield f"merchant in {constant}"
    for constant in ("(1, 2)", "[1, 2]", "('a',)", "(True,)", "((1,),)", "(amount, 1)"):
        yield constant
        yield f"amount == {constant}"
        yield f"is_new in {constant}"


def lookalikes() -> Iterator[str]:
    """Honest expressions with one character changed for a lookalike, or for one that Python folds to it."""
    styles = (0xFF41 - ord("a"), 0x1D41A - ord("a"), 0x1D5BA - ord("a"), 0x24D0 - ord("a"))
    cyrillic = dict(zip("aeopcyxi", "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456", strict=True))
    signs = {sign: chr(ord(sign) + 0xFEE0) for sign in "1.>(),="}
    for source in (
        "amount == 1",
        "customer.count_5m > 1",
        "is_new and True",
        "min(amount, 1) > 1",
        "not is_new",
    ):
        for place, character in enumerate(source):
            others = {cyrillic.get(character), signs.get(character)} - {None}
            if character.isascii() and character.islower():
                others |= {chr(ord(character) + style) for style in styles}
            yield from (f"{source[:place]}{other}{source[place + 1 :]}" for other in others)


def unprintable() -> Iterator[str]:
    controls = "\0\x01\x07\x08\x0b\x0c\x1a\x1b\x7f\x85\xa0\xad"
    invisible = "\u200b\u200d\u202e\u2028\u2066\u3000\ufeff\ud800\U000e0041"
    for character in controls + invisible:
        yield character
        yield f"{character}amount > 1"
        yield f"amount{character}> 1"
        yield f"amount > 1{character}"
        yield f"merchant == 'a{character}'"


def statements() -> Iterator[str]:
    yield from ("", " ", "\n", "\t\n ", "amount \\\n > 1", "amount > 1\n;", "`id`")
    yield from _each("""
        pass
        amount = 1
        amount += 1
        amount: int = 1
        del amount
        amount > 1; amount > 2
        amount > 1 # ok
        # amount
        assert amount
        raise amount
        def f(): pass
        class amount: pass
        @abs
        global amount
        return amount
        print amount
        with open('a'): pass
        if is_new: amount
        amount >
        > amount
        amount > > 1
        amount 1
        1 amount
        and
        amount and
        not
        in
        else
        amount if is_new
        amount > 1,
        amount,
        1) + (1
        ]1[
        (1]
        $amount
        amount is 1
        amount is not None
        amount <> 1
        amount === 1
        amount && is_new
        is_new || is_new
        !is_new
        amount -> 1
        amount ? 1 : 2
        amount => 1
        amount not 1
        amount not not 1
        1 < amount in (1, 2)
        amount in (1, 2) in (1, 2)
    """)


def long_sources() -> Iterator[str]:
    for unit in ("a", "1", " ", "(", "amount + ", "is_new and ", '"', "a.", "é", "\n", "1,"):
        yield unit * (2_001 // len(unit) + 1)
    yield " and ".join(["is_new"] * 400)
    yield f"amount in ({','.join('1' for _ in range(900))})"
    yield "amount > 1" + " " * 1_000_000
    yield "is_new or " * 1_000_000


def wrong_kinds() -> Iterator[str]:
    for number, text, truth in product(_NUMBERS, _TEXTS, _BOOLS):
        yield f"{number} if {truth} else {text}"
        yield f"{number} < {text} < {truth}"
    mixed = product(_NUMBERS, _TEXTS, (*_SIGNS, *_ORDERS, *_EQUALS))
    truths = product(_BOOLS, (*_BOOLS, *_NUMBERS, *_TEXTS), (*_SIGNS, *_ORDERS, *_EQUALS))
    texts = product(_TEXTS, _TEXTS, (*_SIGNS, *_ORDERS))
    for left, right, sign in (*mixed, *truths, *texts):
        yield f"{left} {sign} {right}"
    for value, truth, word in product((*_NUMBERS, *_TEXTS), _BOOLS, ("and", "or")):
        yield f"{value} {word} {truth}"
        yield f"{truth} {word} {value}"
    for value in (*_NUMBERS, *_TEXTS):
        yield f"not {value}"
        yield f"1 if {value} else 2"
        yield f"{value} in ()"
        yield f"{value} in (1, 'a')"
        yield f"{value} in (amount, merchant)"
        yield f"{value} in {value}"
        yield f"+{value}"


def unknown_names() -> Iterator[str]:
    for name in NAMES:
        yield from (f"missing({name[:place] + name[place + 1 :]})" for place in range(len(name)))
    yield from _words(
        "customer list a.b amount.count_5m customer.count_5m.amount _ __ amount.amount match case type"
    )
    yield from _words("customer.count count_5m Amount AMOUNT>1 amount.1 amount. .amount customer..count_5m")
    yield from ("x" * 1_999, "x" * 500 + "." + "y" * 500)


FAMILIES: tuple[Callable[[], Iterator[str]], ...] = (
    *(
        attribute_walks,
        huge_powers,
        huge_constants,
        deep_nesting,
        endless_work,
        imports_and_builtins,
        formats,
    ),
    *(indexes, strange_arguments, strange_constants, lookalikes, unprintable, statements, long_sources),
    *(wrong_kinds, unknown_names),
)
