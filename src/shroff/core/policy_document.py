"""Reading a policy from its TOML text: all faults at once, each with its place and a hint."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from shroff.core.errors import Fault, Rejected
from shroff.core.expression import Expression, Kind
from shroff.core.features import HABIT_OPERATIONS, JUDGED_OPERATIONS, Feature, Layout, feature
from shroff.core.money import DECIMALS
from shroff.core.policy import DERIVED, MODEL, TRANSACTION, TRANSACTION_NAMES, Policy, main_entity
from shroff.core.policy_model import read_model_plan, read_thresholds
from shroff.core.policy_rules import read_rules, read_sweep
from shroff.core.policy_section import Section
from shroff.core.transaction import TEXTS

_TOP = (
    "name",
    "base_currency",
    "lateness",
    "alert_window",
    "alert_from",
    "rates",
    "entities",
    "attributes",
    "features",
    "derived",
    "lists",
    "rules",
    "thresholds",
    "model",
    "sweep",
)
_RESERVED = ("attributes", DERIVED, "list", TRANSACTION, "window")
_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LEAST_RATE, _LARGEST_RATE = Decimal("1e-9"), Decimal("1e9")

Entities = Mapping[str, tuple[str, ...]]


def read_policy(document: str) -> Policy:
    """A checked policy from its TOML text. Raises Rejected with every fault in it."""
    try:
        content = tomllib.loads(document, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Rejected([Fault("policy", f"not TOML: {error}")]) from None
    faults: list[Fault] = []
    values = _read(Section(content, "", faults))
    if values["model"] is not None and any(rule.name == MODEL for rule in values["rules"]):
        sentence = f'"{MODEL}" is what decisions by a model are reasoned with'
        faults.append(Fault(f"rules.{MODEL}.name", f"rules.{MODEL}.name: {sentence}"))
    if faults:
        raise Rejected(faults)
    return Policy(version=_version(content), document=document, **values)


def _version(content: Mapping[str, Any]) -> str:
    """The same for two documents that say the same: comments, spacing and order of keys do not count."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return sha256(canonical.encode()).hexdigest()[:16]


def _plain(value: object) -> str:
    return str(value.normalize()) if isinstance(value, Decimal) else str(value)


def _read(document: Section) -> dict[str, Any]:
    document.only(*_TOP)
    base = document.choice("base_currency", "currency", DECIMALS, "USD")
    lateness = document.duration("lateness", "1d")
    entities = _entities(document.table("entities"))
    attributes = _attributes(document.table("attributes"))
    layouts = _layouts(document.table("features"), entities, lateness)
    lists = _lists(document.table("lists"))
    of_transaction = dict(TRANSACTION_NAMES) | {
        f"attributes.{name}": kind for name, kind in attributes.items()
    }
    of_entities = {each.name: Kind.NUMBER for layout in layouts for each in layout.features}
    derived = _derived(document.table(DERIVED), of_transaction | of_entities)
    others = {f"list.{name}": Kind.BOOL for name in lists} | dict.fromkeys(derived, Kind.NUMBER)
    return {
        "name": document.text("name", "policy"),
        "base_currency": base,
        "lateness": lateness,
        "alert_window": document.duration("alert_window", "1h"),
        "alert_from": document.outcome("alert_from", "review"),
        "rates": _rates(document.table("rates"), base),
        "entities": entities,
        "attributes": attributes,
        "layouts": layouts,
        "derived": derived,
        "lists": lists,
        "rules": read_rules(document, of_transaction | of_entities | others, entities),
        "thresholds": read_thresholds(document.table("thresholds")),
        "sweep": read_sweep(document.table("sweep"), of_transaction, entities),
        "model": read_model_plan(document.table("model")),
    }


def _entities(section: Section) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in section:
        value = section.content[name]
        fields = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
        if name in _RESERVED:
            section.fault(name, f"{', '.join(_RESERVED)} have a meaning of their own")
        elif not fields or any(field not in TEXTS for field in fields) or len(set(fields)) < len(fields):
            section.fault(name, f"must be one or several of {', '.join(TEXTS)}")
        elif section.named(name, name):
            found[name] = fields
    return found


def _layouts(section: Section, entities: Entities, lateness: int) -> tuple[Layout, ...]:
    found = []
    for entity in section:
        texts = section.content[entity]
        if entity not in entities:
            section.unknown(entity, "entity", entity, entities)
        elif not isinstance(texts, list) or len(set(map(str, texts))) != len(texts):
            section.fault(entity, "must be a list of different feature names")
        else:
            features = [_feature(section, entity, text, entities) for text in texts]
            kept = tuple(each for each in features if each is not None)
            found.append(Layout(entity, entities[entity], kept, lateness))
    return _judged(section, found, main_entity(entities))


def _judged(section: Section, layouts: Sequence[Layout], main: str) -> tuple[Layout, ...]:
    """The layouts, the main entity's as the one that judges where any feature asks for that."""
    asking = [
        each.name for layout in layouts for each in layout.features if each.operation in JUDGED_OPERATIONS
    ]
    if not asking:
        return tuple(layouts)
    if not any(layout.entity == main and layout.habits for layout in layouts):
        problem = (
            f"{asking[0]} asks what amounts are usual of the {main}: add amount_surprise_30d, or another"
        )
        section.fault(main, f"{problem} of {', '.join(HABIT_OPERATIONS)}")
    return tuple(replace(layout, judges=layout.entity == main) for layout in layouts)


def _feature(section: Section, entity: str, text: object, entities: Entities) -> Feature | None:
    return section.tried(entity, lambda: feature(entity, str(text), entities))


def _derived(section: Section, names: Mapping[str, Kind]) -> dict[str, Expression]:
    found = {}
    for name in section:
        expression = section.expression(name, names, Kind.NUMBER)
        if section.named(name, name) and expression is not None:
            found[f"{DERIVED}.{name}"] = expression
    return found


def _rates(section: Section, base: str) -> dict[str, Decimal]:
    found = {}
    for currency in section:
        if currency not in DECIMALS:
            section.unknown(currency, "currency", currency, DECIMALS)
        elif currency == base:
            section.fault(currency, "is the base currency, whose rate is 1")
        else:
            rate = section.number(currency, _LEAST_RATE, _LARGEST_RATE)
            if rate is not None:
                found[currency] = rate
    return found


def _attributes(section: Section) -> dict[str, Kind]:
    found = {}
    for name in section:
        kind = section.content[name]
        if kind not in tuple(Kind):
            section.fault(name, f"must be one of {', '.join(Kind)}")
        elif not _ATTRIBUTE.fullmatch(name):
            section.fault(name, "rules can name only letters, digits and _, starting with a letter or _")
        else:
            found[name] = Kind(kind)
    return found


def _lists(section: Section) -> dict[str, str]:
    found = {}
    for name in section:
        each = section.table(name)
        each.only("field")
        field = each.content.get("field")
        if field not in TEXTS:
            each.fault("field", f"must be the member that is looked up: one of {', '.join(TEXTS)}")
        elif section.named(name, name):
            found[name] = str(field)
    return found
