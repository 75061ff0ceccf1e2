"""Models at work: read from the registry, given to policies, promoted and retired."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shroff.core.errors import Fault, Rejected
from shroff.core.model import Model
from shroff.core.model_document import read_model
from shroff.core.policy import MODEL, Policy
from shroff.core.policy_document import read_policy
from shroff.ports import Models, Policies, Publication, Registration

ModelOf = Callable[[str], Model]
"""A model by its version. Raises Rejected where there is none, or it is broken."""


def no_models(version: str) -> Model:
    """What answers where there is no registry."""
    raise Rejected([Fault(MODEL, f"{MODEL}: there is no registry here that could have model {version}")])


class KnownModels:
    """The models of a registry, each read once: none ever changes."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._known: dict[str, Model] = {}

    def __call__(self, version: str) -> Model:
        """The model of a version. Raises Rejected."""
        if version not in self._known:
            document = self._models.document(version)
            if document is None:
                sentence = f"no model {version} here; `shroff model list` shows them"
                raise Rejected([Fault(MODEL, f"{MODEL}: {sentence}")])
            self._known[version] = read_model(document)
        return self._known[version]


def with_models(policy: Policy, model_of: ModelOf) -> Policy:
    """The policy with the models that it names, which it needs to decide.

    Raises Rejected with every model that is not there, is broken, or wants what the policy does not declare.
    """
    if policy.model is None:
        return policy
    faults: list[Fault] = []
    found = {}
    for version in policy.model.versions:
        try:
            found[version] = model_of(version)
        except Rejected as error:
            faults += error.faults
            continue
        wanted = [name for name in found[version].features if name not in policy.number_names]
        if wanted:
            sentence = (
                f"{MODEL}: model {version} needs what this policy does not declare: {', '.join(wanted)}"
            )
            faults.append(Fault(MODEL, sentence))
    if faults:
        raise Rejected(faults)
    return replace(policy, models=found)


def register(models: Models, document: bytes, at: int) -> Registration:
    """Keep a model in the registry. Raises Rejected where the document is none, or was changed."""
    model = read_model(document)
    return models.add(model.version, model.name, document, at)


def named(models: Models, start: str) -> Registration:
    """The one model whose version begins so. Raises Rejected."""
    found = [each for each in models.all() if each.version.startswith(start)]
    if len(found) == 1:
        return found[0]
    sentence = (
        f'several models begin with "{start}": give more of the one you mean'
        if found
        else f'no model "{start}" here; `shroff model list` shows them'
    )
    raise Rejected([Fault("version", sentence)])


def promoted(
    policies: Policies,
    registration: Registration,
    *,
    shadow: bool = False,
    thresholds: Mapping[str, float] | None = None,
) -> str:
    """The document in force with this model as the champion, or as one more challenger. Raises Rejected.

    A champion brings the thresholds that were chosen with it, unless the document has its own.
    """
    if registration.retired_at is not None:
        sentence = f"model {registration.version} is retired; `shroff model import` brings it back"
        raise Rejected([Fault("version", sentence)])
    document, plan = _in_force(policies)
    version, others = registration.version, [*plan.get("shadow", [])]
    if version in {plan.get("version"), *(others if shadow else [])}:
        sentence = f"model {version} is in force already"
        raise Rejected([Fault("version", sentence)])
    if not shadow:
        edited = with_plan(document, version, [each for each in others if each != version])
        return edited if "thresholds" in plan else with_thresholds(edited, thresholds or {})
    if not plan.get("version"):
        sentence = "no model decides yet, so there is none to be compared with: promote it without --shadow"
        raise Rejected([Fault("version", sentence)])
    return with_plan(document, plan["version"], [*others, version])


def without(policies: Policies, version: str) -> str | None:
    """The document in force without this challenger; None where it is none.

    Raises Rejected for the champion.
    """
    document, plan = _in_force(policies)
    if version == plan.get("version"):
        sentence = (
            f"model {version} decides: promote another, roll the policy back, or publish one without [model]"
        )
        raise Rejected([Fault("version", sentence)])
    others = [*plan.get("shadow", [])]
    if version not in others:
        return None
    return with_plan(document, plan["version"], [each for each in others if each != version])


def with_plan(document: str, version: str, shadow: list[str]) -> str:
    """A policy's text with other models in its [model] section, all else as it was written.

    Raises Rejected where the section is written in a way that is not to be changed by a program.
    """
    before = tomllib.loads(document)
    plan = {**before.get(MODEL, {}), "version": version} | ({"shadow": shadow} if shadow else {})
    if not shadow:
        plan.pop("shadow", None)
    lines = [f'version = "{version}"']
    if shadow:
        lines.append(f"shadow = [{', '.join(chr(34) + each + chr(34) for each in shadow)}]")
    edited = _edited(document, lines)
    try:
        same = tomllib.loads(edited) == {**before, MODEL: plan}
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        sentence = (
            "the [model] section is written so that it cannot be changed here: edit and publish the policy"
        )
        raise Rejected([Fault(MODEL, sentence)])
    return edited


def with_thresholds(document: str, thresholds: Mapping[str, float]) -> str:
    """A policy's text with these thresholds of its champion, where it has none, at its end."""
    if not thresholds:
        return document
    lines = [f"{outcome} = {score}" for outcome, score in thresholds.items()]
    return "\n".join([document.rstrip("\n"), "", f"[{MODEL}.thresholds]", *lines, ""])


def _edited(document: str, lines: list[str]) -> str:
    """The text with these lines in place of the versions in its [model] section, or with a new section."""
    text = document.splitlines()
    begins = next((at for at, line in enumerate(text) if _code(line) == f"[{MODEL}]"), None)
    if begins is None:
        return "\n".join([*text, "", f"[{MODEL}]", *lines, ""])
    rest = text[begins + 1 :]
    length = next((at for at, line in enumerate(rest) if line.lstrip().startswith("[")), len(rest))
    kept = [
        line for line in rest[:length] if _code(line).partition("=")[0].strip() not in {"version", "shadow"}
    ]
    return "\n".join([*text[: begins + 1], *lines, *kept, *rest[length:], ""])


def _code(line: str) -> str:
    return line.partition("#")[0].strip()


def _in_force(policies: Policies) -> tuple[str, dict[str, Any]]:
    """The document in force, and its [model] section."""
    active = policies.active()
    if active is None:
        raise Rejected([Fault("policy", "no policy is published; `shroff policy publish` does")])
    read_policy(active.document)  # its faults are better told than those of what is made of it
    return active.document, tomllib.loads(active.document).get(MODEL, {})


def roles(policies: Policies) -> dict[str, str]:
    """Version → champion or shadow, by the policy in force."""
    active: Publication | None = policies.active()
    plan = None if active is None else read_policy(active.document).model
    if plan is None:
        return {}
    return {plan.version: "champion"} | dict.fromkeys(plan.shadow, "shadow")
