"""Putting a policy in force."""

from __future__ import annotations

from shroff.core.errors import Fault, Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.ports import Policies, Publication


def publish(policies: Policies, document: str, at: int) -> tuple[Policy, Publication]:
    """Check a document and put it in force. Raises Rejected with all of its faults; publishing it again changes nothing."""
    policy = read_policy(document)
    active = policies.active()
    if active is not None and active.version == policy.version:
        return policy, active
    return policy, policies.publish(policy.version, document, at)


def roll_back(policies: Policies, at: int, version: str | None = None) -> Publication:
    """Publish an earlier version again: the named one, or the one in force before. Raises Rejected."""
    active = policies.active()
    earlier = [each for each in policies.history() if active is None or each.version != active.version]
    wanted = [each for each in earlier if version is None or each.version.startswith(version)]
    if not wanted:
        named = f"no earlier policy {version}" if version else "no earlier policy"
        raise Rejected([Fault("version", f"There is {named} to roll back to; `shroff policy list` shows them")])
    chosen = wanted[-1]
    return policies.publish(chosen.version, chosen.document, at)
