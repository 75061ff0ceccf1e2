"""Putting a policy in force."""

from __future__ import annotations

import structlog

from shroff.codec import encode_part
from shroff.core.densest import densest
from shroff.core.errors import Fault, Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.flows.models import ModelOf, no_models, with_models
from shroff.ports import Policies, Publication

log = structlog.get_logger()


def publish(
    policies: Policies, document: str, at: int, model_of: ModelOf = no_models
) -> tuple[Policy, Publication]:
    """Check a document and put it in force; publishing it again changes nothing.

    Raises Rejected with all of its faults, those of the models that it names among them.
    """
    policy = with_models(read_policy(document), model_of)
    active = policies.active()
    if active is not None and active.version == policy.version:
        return policy, active
    return policy, policies.publish(policy.version, document, at)


def check_weight(policy: Policy, most: int) -> None:
    """Raises Rejected for every entity of which more bytes may come to be remembered than can be kept."""
    weights = {layout.entity: len(encode_part(densest(layout))) for layout in policy.layouts}
    faults = [
        Fault(
            f"features.{entity}",
            f"what is remembered of one {entity} could come to {weight:,} bytes, more than the {most:,} that "
            f"can be kept of it here: give it fewer distinct counts or windows",
        )
        for entity, weight in weights.items()
        if weight > most
    ]
    if faults:
        raise Rejected(faults)


def newest_readable(policies: Policies, model_of: ModelOf | None = None) -> Policy | None:
    """The policy in force, or the one before it where that was written by a newer Shroff or by hand.

    With the models that it names, where somebody knows them; without, it can do all but decide.
    """
    for publication in reversed(policies.history()):
        try:
            policy = read_policy(publication.document)
            return policy if model_of is None else with_models(policy, model_of)
        except Rejected as error:
            log.error("policy_unreadable", policy_version=publication.version, cause=str(error))
    return None


def roll_back(
    policies: Policies, at: int, version: str | None = None, model_of: ModelOf = no_models
) -> Publication:
    """Publish an earlier version again: the named one, or the one in force before. Raises Rejected."""
    chosen = earlier(policies, version)
    with_models(read_policy(chosen.document), model_of)  # it was sound to the Shroff that published it
    return policies.publish(chosen.version, chosen.document, at)


def earlier(policies: Policies, version: str | None = None) -> Publication:
    """What to roll back to: the named version, or the one in force before. Raises Rejected."""
    active = policies.active()
    others = [each for each in policies.history() if active is None or each.version != active.version]
    wanted = [each for each in others if version is None or each.version.startswith(version)]
    if version is not None and len({each.version for each in wanted}) > 1:
        raise Rejected(
            [Fault("version", f'several policies begin with "{version}": give more of the one you mean')]
        )
    if not wanted:
        named = f"no earlier policy {version}" if version else "no earlier policy"
        sentence = f"There is {named} to roll back to; `shroff policy list` shows them"
        raise Rejected([Fault("version", sentence)])
    return wanted[-1]
