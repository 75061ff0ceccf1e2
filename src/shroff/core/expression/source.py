"""Source text to a syntax tree: the first of two allow-lists, over words and signs.

Everything is counted and bounded here, before Python's own parser sees the text, so that no source can
exhaust it.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from shroff.core.expression.fault import ExpressionError, Position, shown

MAX_LENGTH = 2000
MAX_TOKENS = 500
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>"[^"\\\r\n\t]*"|'[^'\\\r\n\t]*')
    | (?P<refused>\*\*|<<|>>|<>|:=|->|&&|\|\||\.\.\.)
    | (?P<sign><=|>=|==|!=|//|[-+*/%<>(),.\[\]])
    """,
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "if", "else", "True", "False"})
_HINTS = {
    "**": "multiply instead",
    "=": "compare with ==",
    "<>": "compare with !=",
    "!": "write not",
    "&": "write and",
    "&&": "write and",
    "|": "write or",
    "||": "write or",
    "#": "an expression has no comments",
    "\\": "an expression has no escapes",
    "is": "compare with ==",
    "None": "ask with missing(x)",
}
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Source:
    """The text of one expression, and the tree it was parsed to."""

    __slots__ = ("_flat", "_shift", "text", "tree")

    def __init__(self, text: str) -> None:
        """Parse the text; anything but allowed words and signs raises ExpressionError."""
        self.text = text
        self._check_length()
        self._check_tokens(list(self._tokens()))
        spaced = re.sub(r"[\t\r\n]", " ", text)
        self._flat = spaced.strip(" ")
        self._shift = len(spaced) - len(spaced.lstrip(" "))
        self.tree = self._parse()
        self._check_depth()

    def fault(self, message: str, at: int | ast.expr, hint: str | None = None) -> ExpressionError:
        """The error that points at an offset into the text or at a node of the tree."""
        offset = at if isinstance(at, int) else self._offset(at)
        before = self.text[:offset]
        line = before.count("\n") + 1
        column = offset - (before.rfind("\n") + 1) + 1
        several = "\n" in self.text.strip()
        return ExpressionError(message, Position(column=column, line=line if several else None), hint)

    def _offset(self, node: ast.expr) -> int:
        # the tree counts bytes of UTF-8, people count characters
        before = self._flat.encode()[: node.col_offset]
        return self._shift + len(before.decode())

    def _check_length(self) -> None:
        if len(self.text) > MAX_LENGTH:
            raise self.fault(
                f"longer than {MAX_LENGTH} characters", MAX_LENGTH, "split it into several rules"
            )
        if not self.text.strip(" \t\r\n"):
            raise self.fault("nothing to evaluate", 0)

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None or match.lastgroup is None:
                raise self._unreadable(at)
            if match.lastgroup != "space":
                yield self._allowed(_Token(match.lastgroup, match.group(), at))
            at = match.end()

    def _unreadable(self, at: int) -> ExpressionError:
        character = self.text[at]
        if character in "\"'":
            return self.fault("text that does not end, or has an escape or a line break in it", at)
        return self.fault(
            f"`{shown(ascii(character)[1:-1])}` is not part of the rule language", at, _HINTS.get(character)
        )

    def _allowed(self, token: _Token) -> _Token:
        outside = token.kind == "word" and keyword.iskeyword(token.text) and token.text not in _WORDS
        if token.kind == "refused" or outside:
            hint = _HINTS.get(token.text)
            raise self.fault(f"`{token.text}` is not part of the rule language", token.start, hint)
        if token.kind == "text" and not token.text.isprintable():
            raise self.fault("text with an unprintable character", token.start)
        return token

    def _check_tokens(self, tokens: list[_Token]) -> None:
        if len(tokens) > MAX_TOKENS:
            beyond = tokens[MAX_TOKENS].start
            raise self.fault(f"more than {MAX_TOKENS} words and signs", beyond, "split it into several rules")
        for left, right in pairwise(tokens):
            self._check_neighbours(left, right)
        self._check_brackets(tokens)
        self._check_prefixes(tokens)

    def _check_neighbours(self, left: _Token, right: _Token) -> None:
        if left.kind == right.kind == "text":
            # Python would join them, and a forgotten comma would silently change a list
            raise self.fault("two texts side by side", right.start, "put a comma between them")
        touching = left.end == right.start
        if touching and left.kind == "word" and right.kind == "text":
            raise self.fault(
                f"text with the prefix {shown(left.text)}", left.start, "only plain text is allowed"
            )
        if touching and left.kind == "number" and right.kind in ("word", "number"):
            raise self.fault(f"number running into {shown(right.text)}", right.start)

    def _check_brackets(self, tokens: list[_Token]) -> None:
        still_open: list[_Token] = []
        for token in tokens:
            if token.text in ("(", "["):
                still_open.append(token)
                if len(still_open) > MAX_DEPTH:
                    raise self.fault(f"nested deeper than {MAX_DEPTH}", token.start)
            elif token.text in _PAIRS and (not still_open or still_open.pop().text != _PAIRS[token.text]):
                raise self.fault(f"`{token.text}` closes nothing", token.start)
        if still_open:
            raise self.fault(f"`{still_open[-1].text}` is never closed", still_open[-1].start)

    def _check_prefixes(self, tokens: list[_Token]) -> None:
        run = 0
        for token in tokens:
            run = run + 1 if token.text in ("-", "+", "not") else 0
            if run > MAX_DEPTH:
                raise self.fault(f"nested deeper than {MAX_DEPTH}", token.start)

    def _parse(self) -> ast.expr:
        try:
            return ast.parse(self._flat, mode="eval").body
        except SyntaxError as error:
            # Python gives the end of the text as 0
            at = error.offset - 1 if error.offset else len(self._flat)
            hint = "here a value or a sign is missing, or too much"
            raise self.fault("cannot be read as an expression", self._shift + at, hint) from None
        except (RecursionError, MemoryError):
            # `a if b else a if b else ...` nests without a bracket
            raise self.fault("nested too deeply", 0) from None

    def _check_depth(self) -> None:
        level: list[ast.AST] = [self.tree]
        for _ in range(MAX_DEPTH):
            level = [child for node in level for child in ast.iter_child_nodes(node)]
        deep = next((node for node in level if isinstance(node, ast.expr)), None)
        if deep is not None:
            raise self.fault(f"nested deeper than {MAX_DEPTH}", deep)
