"""Reading a policy from its TOML text: all faults at once, each with its place and a hint."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

from shroff.core.errors import Fault, Rejected
from shroff.core.expression import Expression, ExpressionError, Kind, check
from shroff.core.features import Feature, Layout, feature, milliseconds
from shroff.core.money import DECIMALS
from shroff.core.policy import OUTCOMES, TRANSACTION_NAMES, WINDOW_NAMES, Policy, Rule, SweepPlan, SweepRule
from shroff.core.transaction import TEXTS

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHOWN = re.compile(r"\{([^{}]*)\}")
_TOP = ("name", "base_currency", "lateness", "alert_window", "alert_from", "rates", "entities", "attributes",
        "features", "lists", "rules", "thresholds", "sweep")  # fmt: skip
MOST_RULES = 2_000


def read_policy(document: str) -> Policy:
    """A checked policy from its TOML text. Raises Rejected with every fault in it."""
    try:
        content = tomllib.loads(document, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Rejected([Fault("policy", f"not TOML: {error}")]) from None
    reader = _Reader(content)
    values = reader.read()
    if reader.faults:
        raise Rejected(reader.faults)
    return Policy(version=_version(content), document=document, **values)


def _version(content: Mapping[str, Any]) -> str:
    """The same for two documents that say the same: comments, spacing and order of keys do not count."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(canonical.encode()).hexdigest()[:16]


class _Reader:
    """Walks the document section by section and collects what is wrong with it."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.faults: list[Fault] = []

    def read(self) -> dict[str, Any]:
        self.known(self.content, _TOP, "")
        base = self.text(self.content, "base_currency", "", default="USD")
        if base not in DECIMALS:
            self.fault("base_currency", f'"{base}" is not an ISO 4217 currency')
            base = "USD"
        lateness = self.duration(self.content, "lateness", "", default="1d")
        entities = self.entities()
        layouts = self.layouts(entities, lateness)
        attributes, lists = self.attributes(), self.lists()
        names = dict(TRANSACTION_NAMES)
        names |= {f"attributes.{name}": kind for name, kind in attributes.items()}
        names |= {each.name: Kind.NUMBER for layout in layouts for each in layout.features}
        names |= {f"list.{name}": Kind.BOOL for name in lists}
        return {
            "name": self.text(self.content, "name", "", default="policy"),
            "base_currency": base,
            "lateness": lateness,
            "alert_window": self.duration(self.content, "alert_window", "", default="1h"),
            "alert_from": self.outcome(self.content, "alert_from", "", default="review"),
            "rates": self.rates(),
            "entities": entities,
            "attributes": attributes,
            "layouts": layouts,
            "lists": lists,
            "rules": self.rules(names, entities),
            "thresholds": self.thresholds(),
            "sweep": self.sweep(entities, attributes),
        }

    # Sections

    def entities(self) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, value in self.table(self.content, "entities").items():
            fields = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
            if not self.named(f"entities.{name}", name):
                continue
            if not fields or any(field not in TEXTS for field in fields) or name in ("window", "list", "attributes"):
                self.fault(f"entities.{name}", f"must be one or several of {', '.join(TEXTS)}")
                continue
            found[name] = fields
        return found

    def layouts(self, entities: Mapping[str, tuple[str, ...]], lateness: int) -> tuple[Layout, ...]:
        found = []
        for entity, texts in self.table(self.content, "features").items():
            where = f"features.{entity}"
            if entity not in entities:
                self.fault(where, f'unknown entity "{entity}"{_hint(entity, entities)}')
            elif not isinstance(texts, list) or len(set(map(str, texts))) != len(texts):
                self.fault(where, "must be a list of different feature names")
            else:
                features = [self.feature(f"{where}[{at}]", entity, text, entities) for at, text in enumerate(texts)]
                kept = tuple(each for each in features if each is not None)
                found.append(Layout(entity, entities[entity], kept, lateness))
        return tuple(found)

    def feature(self, where: str, entity: str, text: Any, entities: Mapping[str, tuple[str, ...]]) -> Feature | None:
        try:
            return feature(entity, str(text), entities)
        except ValueError as error:
            self.fault(where, str(error))
            return None

    def rates(self) -> dict[str, Decimal]:
        found = {}
        for currency, value in self.table(self.content, "rates").items():
            rate = _number(value)
            if currency not in DECIMALS or rate is None or not 0 < rate < 10**9:
                self.fault(f"rates.{currency}", "must give, for an ISO 4217 currency, how much base currency one unit is")
            else:
                found[currency] = rate
        return found

    def attributes(self) -> dict[str, Kind]:
        found = {}
        for name, kind in self.table(self.content, "attributes").items():
            if kind not in tuple(Kind):
                self.fault(f"attributes.{name}", f"must be one of {', '.join(Kind)}")
            elif self.named(f"attributes.{name}", name):
                found[name] = Kind(kind)
        return found

    def lists(self) -> dict[str, str]:
        found = {}
        for name, section in self.table(self.content, "lists").items():
            where = f"lists.{name}"
            if not isinstance(section, Mapping) or section.get("field") not in TEXTS:
                self.fault(where, f"must name the field that is looked up in it: one of {', '.join(TEXTS)}")
            elif self.named(where, name) and self.known(section, ("field",), where):
                found[name] = section["field"]
        return found

    def rules(self, names: Mapping[str, Kind], entities: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
        sections = self.sections("rules")
        found = [self.rule(where, section, names, entities) for where, section in sections]
        self.unique([section.get("name") for _, section in sections], "rules")
        return tuple(rule for rule in found if rule is not None)

    def rule(
        self, where: str, section: Mapping[str, Any], names: Mapping[str, Kind], entities: Mapping[str, Any]
    ) -> Rule | None:
        self.known(section, ("name", "when", "outcome", "score", "reason", "entity"), where)
        name = self.text(section, "name", where)
        where = f'{where} "{name}"'
        when = self.expression(section, "when", where, names, Kind.BOOL)
        outcome = self.outcome(section, "outcome", where)
        score = _number(section.get("score", 0))
        if score is None or not 0 <= score <= 1:
            self.fault(f"{where} score", "must be a number from 0 to 1")
        reason = self.text(section, "reason", where, default=name)
        shown = tuple(_SHOWN.findall(reason))
        for each in shown:
            if each not in names:
                self.fault(f"{where} reason", f'unknown name "{each}"{_hint(each, names)}')
        if not self.named(f"{where} name", name) or when is None:
            return None
        touched = [each.split(".")[0] for each in sorted(when.names) if each.split(".")[0] in entities]
        entity = section.get("entity", touched[0] if touched else next(iter(entities), ""))
        if entity not in entities:
            self.fault(f"{where} entity", f'unknown entity "{entity}"{_hint(str(entity), entities)}')
        return Rule(
            name=name, when=when, outcome=outcome, score=float(score or 0), reason=reason, entity=entity, shown=shown
        )

    def thresholds(self) -> dict[int, float]:
        section = self.table(self.content, "thresholds")
        self.known(section, OUTCOMES[1:], "thresholds")
        found = {}
        for name in OUTCOMES[1:]:
            if name not in section:
                continue
            score = _number(section[name])
            if score is None or not 0 <= score <= 1:
                self.fault(f"thresholds.{name}", "must be a score from 0 to 1")
            else:
                found[OUTCOMES.index(name)] = float(score)
        if list(found.values()) != sorted(found.values()):
            self.fault("thresholds", f"must rise from {' to '.join(OUTCOMES[1:])}")
        return found

    def sweep(self, entities: Mapping[str, Any], attributes: Mapping[str, Kind]) -> SweepPlan:
        section = self.table(self.content, "sweep")
        self.known(section, ("every", "window", "by", "rules"), "sweep")
        by = self.text(section, "by", "sweep", default=next(iter(entities), "customer"))
        if section and by not in entities:
            self.fault("sweep.by", f'unknown entity "{by}"{_hint(by, entities)}')
        names = {**TRANSACTION_NAMES, **WINDOW_NAMES}
        names |= {f"attributes.{name}": kind for name, kind in attributes.items()}
        sections = self.sections("sweep.rules", section.get("rules", []))
        rules = [self.sweep_rule(where, each, names) for where, each in sections]
        self.unique([each.get("name") for _, each in sections], "sweep.rules")
        return SweepPlan(
            every=self.duration(section, "every", "sweep", default="5m"),
            window=self.duration(section, "window", "sweep", default="5m"),
            by=by,
            rules=tuple(rule for rule in rules if rule is not None),
        )

    def sweep_rule(self, where: str, section: Mapping[str, Any], names: Mapping[str, Kind]) -> SweepRule | None:
        self.known(section, ("name", "when", "reason", "score"), where)
        name = self.text(section, "name", where)
        where = f'{where} "{name}"'
        when = self.expression(section, "when", where, names, Kind.BOOL)
        score = self.expression(section, "score", where, names, Kind.NUMBER)
        reason = self.text(section, "reason", where, default=name)
        if not self.named(f"{where} name", name) or when is None or score is None:
            return None
        return SweepRule(name=name, when=when, reason=reason, score=score)

    # Values

    def fault(self, where: str, problem: str) -> None:
        self.faults.append(Fault(where, f"{where}: {problem}"))

    def table(self, section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = section.get(key, {})
        if isinstance(value, Mapping):
            return value
        self.fault(key, "must be a table")
        return {}

    def sections(self, where: str, value: Any = None) -> list[tuple[str, Mapping[str, Any]]]:
        value = self.content.get(where, []) if value is None else value
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self.fault(where, f"must be written as [[{where}]] sections")
            return []
        if len(value) > MOST_RULES:
            self.fault(where, f"at most {MOST_RULES} rules; this has {len(value)}")
            return []
        return [(f"{where}[{at}]", each) for at, each in enumerate(value)]

    def known(self, section: Mapping[str, Any], keys: Sequence[str], where: str) -> bool:
        strangers = [key for key in section if key not in keys]
        for key in strangers:
            self.fault(f"{where}.{key}".lstrip("."), f'unknown key "{key}"{_hint(key, keys)}')
        return not strangers

    def named(self, where: str, name: str) -> bool:
        if _NAME.fullmatch(name):
            return True
        self.fault(where, "a name must be lower case letters, digits and _, starting with a letter")
        return False

    def unique(self, names: Sequence[Any], where: str) -> None:
        for name in sorted({str(name) for name in names if names.count(name) > 1}):
            self.fault(where, f'the name "{name}" is used more than once')

    def text(self, section: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
        value = section.get(key, default)
        if isinstance(value, str) and value.strip():
            return value
        self.fault(f"{where}.{key}".lstrip("."), "must be a non-empty string")
        return ""

    def duration(self, section: Mapping[str, Any], key: str, where: str, default: str) -> int:
        return self.tried(f"{where}.{key}".lstrip("."), lambda: milliseconds(str(section.get(key, default))), 0)

    def outcome(self, section: Mapping[str, Any], key: str, where: str, default: str = "") -> int:
        value = section.get(key, default)
        if value in OUTCOMES:
            return OUTCOMES.index(value)
        self.fault(f"{where} {key}".strip(), f"must be one of {', '.join(OUTCOMES)}")
        return 0

    def tried(self, where: str, read: Callable[[], int], otherwise: int) -> int:
        try:
            return read()
        except ValueError as error:
            self.fault(where, str(error))
            return otherwise

    def expression(
        self, section: Mapping[str, Any], key: str, where: str, names: Mapping[str, Kind], kind: Kind
    ) -> Expression | None:
        try:
            expression = check(section.get(key, ""), names)
        except ExpressionError as error:
            self.fault(f"{where} {key}", str(error))
            return None
        if expression.kind is not kind:
            self.fault(f"{where} {key}", f"must be a {kind.value}, and is a {expression.kind.value}")
            return None
        return expression


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def _hint(name: str, known: Any) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(list(known)[:12])}" if known else ""
