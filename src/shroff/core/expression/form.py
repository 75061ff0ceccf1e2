"""The checked form of an expression: a flat list of typed nodes, each once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a name or an expression stands for."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "bool"


class Node(NamedTuple):
    """One operation on the nodes at earlier indices; `name` and `constant` have none."""

    op: str
    kind: Kind
    operands: tuple[int, ...] = ()
    value: float | str | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that was checked: it evaluates without an error on any columns of its names."""

    source: str
    kind: Kind
    names: frozenset[str]
    """The names it reads, a part of those it was checked against."""
    nodes: tuple[Node, ...] = field(repr=False)
    """Operands before operations; the last is the expression itself."""


class Sheet:
    """Nodes under construction: writing the same operation twice gives the same node."""

    __slots__ = ("_places", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._places: dict[Node, int] = {}

    def add(self, op: str, kind: Kind, *operands: int, value: float | str | bool | None = None) -> int:
        """The index of the node, added if it is new."""
        node = Node(op, kind, operands, value)
        place = self._places.setdefault(node, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
        return place

    def kind(self, place: int) -> Kind:
        """What the node at an index stands for."""
        return self.nodes[place].kind

    def constant(self, value: float | str | bool) -> int:
        """A constant; numbers are floats."""
        if isinstance(value, bool):
            return self.add("constant", Kind.BOOL, value=value)
        if isinstance(value, str):
            return self.add("constant", Kind.TEXT, value=value)
        return self.add(
            "constant", Kind.NUMBER, value=float(value) + 0.0
        )  # there is one zero, without a sign

    def test(self, op: str, *operands: int, value: str | None = None) -> int:
        """An operation that is true or false."""
        return self.add(op, Kind.BOOL, *operands, value=value)

    def all_of(self, *operands: int) -> int:
        """True where all operands are."""
        return operands[0] if len(operands) == 1 else self.test("and", *operands)

    def any_of(self, *operands: int) -> int:
        """True where one operand is."""
        return operands[0] if len(operands) == 1 else self.test("or", *operands)

    def negated(self, operand: int) -> int:
        """True where the operand is false."""
        return self.test("not", operand)

    def choice(self, condition: int, chosen: int, other: int) -> int:
        """One operand where the condition is true, the other elsewhere; both of one kind."""
        kind = self.kind(chosen)
        if kind is Kind.BOOL:
            otherwise = self.all_of(self.negated(condition), other)
            return self.any_of(self.all_of(condition, chosen), otherwise)
        return self.add("choose", kind, condition, chosen, other)

    def finished(self, root: int) -> tuple[Node, ...]:
        """The root and what it needs, in order; the root is the last."""
        needed = {root}
        for place in range(root, -1, -1):
            if place in needed:
                needed.update(self.nodes[place].operands)
        places = {place: count for count, place in enumerate(sorted(needed))}
        return tuple(
            node._replace(operands=tuple(places[operand] for operand in node.operands))
            for node in (self.nodes[place] for place in places)
        )
