"""`shroff sweep | report | audit | replay`: looking back at what happened."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from shroff.cli.options import (
    HERE,
    Json,
    Place,
    day,
    moment,
    opened,
    print_json,
    print_table,
    unknown_transaction,
)  # fmt: skip
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.policy_document import read_policy
from shroff.runtimes.wiring import wall_clock

_LONGEST = 400 * 86_400


def sweep(
    *,
    at: Annotated[
        str | None, Parameter(help="End of the window, ISO 8601 or seconds since 1970; now unless given.")
    ] = None,
    window: Annotated[
        int | None, Parameter(help="Seconds to look back; the policy's own window unless given.")
    ] = None,
    place: Place = HERE,
    json: Json = False,
) -> None:
    """Look back over the transactions of the last minutes for what no single one of them shows."""
    from shroff.flows.publish import newest_readable
    from shroff.flows.sweep import sweep as run

    now = wall_clock()
    if window is not None and not 0 < window <= _LONGEST:
        raise Rejected(
            [Fault("window", f"--window {window} must be a number of seconds from 1 to {_LONGEST}")]
        )
    with opened(place) as there:
        policy = newest_readable(there.policies)
        if policy is None:
            raise Rejected(
                [Fault("policy", "no policy here can be read; publish one with `shroff policy publish`")]
            )
        swept = run(
            policy,
            there.ledger,
            there.alerts,
            at=now if at is None else moment(at),
            window=policy.sweep.window if window is None else window * 1000,
            now=now,
        )
    if json:
        print_json(swept.members())
        return
    rows = [(each.transaction_id, each.customer_id, each.reason, each.score) for each in swept.findings]
    print(f"{swept.transactions} transactions from {instant(swept.start)} to {instant(swept.end)}")
    print_table(("transaction", "customer", "reason", "score"), rows, "Nothing found.")


def report(*, date: str | None = None, place: Place = HERE, json: Json = False) -> None:
    """Write the report of one day (UTC): CSV, JSON and HTML; yesterday's unless a date is given."""
    from shroff.runtimes.jobs import write_report

    number = (day(date) - day("1970-01-01")).days if date is not None else wall_clock() // 86_400_000 - 1
    with opened(place) as there:
        written = write_report(number, there)
    files, warnings = list(written.places), written.document["warnings"]
    if json:
        print_json({"files": files, "warnings": warnings})
    else:
        print("\n".join([*files, *warnings]))


def audit(*, place: Place = HERE, json: Json = False) -> int:
    """Check that all accepted transactions are decided, dead-lettered or in flight; exit 1 if one is lost."""
    from shroff.flows.audit import audit as run

    with opened(place) as there:
        found = run(there.queue, there.ledger)
    if json:
        print_json(found.members())
    else:
        print(
            f"accepted {found.accepted} = decided {found.decided} + dead-lettered {found.dead_lettered}"
            f" + in flight {found.in_flight}" + (f" + MISSING {len(found.missing)}" if found.missing else "")
        )
        if found.strays:
            print(f"{found.strays} decisions are of what was never accepted, or is undecided as well")
        for transaction_id in found.missing:
            print(f"missing: {transaction_id}")
    return 0 if found.clean else 1


def replay(transaction_id: str, /, *, place: Place = HERE, json: Json = False) -> int:
    """Make a stored decision again from history and compare it byte for byte; exit 1 where it differs."""
    from shroff.flows.models import KnownModels, with_models
    from shroff.flows.replay import replay as run

    with opened(place) as there:
        record = there.ledger.find(transaction_id)
        if record is None:
            raise unknown_transaction(transaction_id)
        published = there.policies.get(record.decision.policy_version)
        if published is None:
            raise Rejected([Fault("policy", f"policy {record.decision.policy_version} is not in this store")])
        policy = with_models(read_policy(published.document), KnownModels(there.models))
        found = run(record, policy, there.ledger, there.learned, in_order=there.in_order)
    differences = found.differences()
    if json:
        print_json({"transaction_id": transaction_id, "same": found.same, "differences": differences})
    elif found.same:
        print(f"{transaction_id}: the same to the byte, after {found.observed} earlier ones of its entities")
    else:
        print(f"{transaction_id}: DIFFERS in {', '.join(differences)}")
        if not there.in_order:
            print("Where many workers met on one entity, each saw a little less of it than history has.")
    return 0 if found.same else 1
