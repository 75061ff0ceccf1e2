"""What the commands open: a data folder, or a stack on AWS. Neither imports the other's adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from shroff.core.policy import Policy
from shroff.runtimes.opened import Opened
from shroff.runtimes.wiring import wall_clock

if TYPE_CHECKING:
    from shroff.runtimes.wiring.embedded import Embedded

Say = Callable[[str], None]


@contextmanager
def open_folder(data: Path, *, create: bool = False) -> Iterator[Opened]:
    """The installation in a data folder. Raises Rejected where there is none and none is to be made."""
    from shroff.runtimes.wiring.embedded import open_embedded  # noqa: PLC0415  # each brings its own libraries

    embedded = open_embedded(data, create=create)
    try:
        yield opened_of(embedded)
    finally:
        embedded.close()


def opened_of(embedded: Embedded) -> Opened:
    """A data folder that is open, as the commands see it."""
    store = embedded.store
    return Opened(
        currency=embedded.settings.currency,
        queue=embedded.queue,
        ledger=store.ledger,
        dead_letters=store.dead_letters,
        policies=store.policies,
        models=store.models,
        lists=store.lists,
        labels=store.labels,
        learned=store.labels,
        label_days=embedded.settings.label_days,
        alerts=store.alerts,
        reports=embedded.reports,
        settled=lambda: 0,
        in_order=True,
        # Its worker folds history again by itself before it decides by other windows.
        ready=lambda _: nullcontext(),
    )


@contextmanager
def open_stack(suffix: str, say: Say) -> Iterator[Opened]:
    """The stack of a suffix, in the account and region that boto3 finds.

    Raises Rejected with what to do where there is none, or where it may not be used.
    """
    from shroff.adapters.aws.clients import Clients  # noqa: PLC0415
    from shroff.adapters.aws.commit import MOST_STATE  # noqa: PLC0415
    from shroff.adapters.aws.intermission import AwsIntermission  # noqa: PLC0415
    from shroff.adapters.aws.names import names_of  # noqa: PLC0415
    from shroff.adapters.aws.refusals import explained  # noqa: PLC0415
    from shroff.adapters.aws.stack import settings_of  # noqa: PLC0415
    from shroff.adapters.aws.store import AwsStore  # noqa: PLC0415
    from shroff.flows.publish import check_weight  # noqa: PLC0415
    from shroff.flows.refill import refilled  # noqa: PLC0415
    from shroff.flows.settle import AUDITED  # noqa: PLC0415

    with explained(suffix):
        clients = Clients()
        settings = settings_of(clients, suffix)
        store = AwsStore(
            clients,
            names_of(clients, suffix),
            shards=settings.shards,
            retention_days=settings.retention_days,
            max_receives=settings.max_receives,
            clock=wall_clock,
        )

        def ready(policy: Policy) -> AbstractContextManager[None]:
            check_weight(policy, MOST_STATE)
            return refilled(
                policy,
                policies=store.policies,
                ledger=store.archive,
                labels=store.labels,
                entities=store.entities,
                intermission=AwsIntermission(clients, suffix, store.schedule, wall_clock),
                say=say,
            )

        try:
            yield Opened(
                currency=settings.currency,
                queue=store.queue,
                ledger=store.archive,
                dead_letters=store.dead_letters,
                policies=store.policies,
                models=store.models,
                lists=store.lists,
                labels=store.labels,
                learned=store.labels,
                # There a label is asked for by its transaction, and a day may have millions of these.
                label_days=None,
                alerts=store.alerts,
                reports=store.reports,
                settled=lambda: store.schedule.last(AUDITED) or 0,
                in_order=False,
                ready=ready,
            )
        finally:
            store.close()
