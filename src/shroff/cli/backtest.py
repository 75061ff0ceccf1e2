"""`shroff backtest`: what a policy would have decided over history, beside what another did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shroff.cli.backtest_tables import print_backtest
from shroff.cli.options import HERE, Json, Place, moment, opened, print_json
from shroff.cli.policy import document_named
from shroff.codec import encode
from shroff.core.errors import Fault, Rejected
from shroff.core.policy_document import read_policy
from shroff.ports import FOREVER
from shroff.runtimes.wiring import wall_clock

if TYPE_CHECKING:
    from shroff.flows.backtest import Known, ListHits, Side
    from shroff.flows.backtest.differences import Write
    from shroff.runtimes.opened import Opened

CURRENT, STORED = "current", "stored"
_DAY = 86_400_000


def backtest(
    *,
    policy: Annotated[
        str, Parameter(help="A file, a version, `current` (in force) or `stored` (the decisions as made).")
    ],
    against: Annotated[str, Parameter(help="What it is compared with, named likewise.")] = CURRENT,
    from_: Annotated[
        str | None, Parameter(name="--from", help="The first moment, ISO 8601 or seconds since 1970.")
    ] = None,
    to: Annotated[str | None, Parameter(help="The first moment that is not looked at any more.")] = None,
    as_of: Annotated[
        str | None, Parameter(help="Labels that became known later are not used; now unless given.")
    ] = None,
    mature_days: Annotated[
        int | None, Parameter(help="Days after which what has no label counts as legitimate.")
    ] = None,
    minutes_per_alert: Annotated[float, Parameter(help="What an alert costs an analyst.")] = 10.0,
    show: Annotated[int, Parameter(help="How many differences to show.")] = 20,
    differences: Annotated[Path | None, Parameter(help="NDJSON file for all of them.")] = None,
    seed: Annotated[int, Parameter(help="Of the days drawn for the intervals.")] = 7,
    place: Place = HERE,
    json: Json = False,
) -> None:
    """Decide stored history again by a policy, and set it beside another or what was decided then.

    Nothing is changed. Figures that need labels are left out where none were known.
    """
    from shroff.flows.backtest import History, Known, ListHits, Question, Telling, members
    from shroff.flows.backtest import backtest as run

    now = wall_clock()
    question = Question(
        start=-FOREVER if from_ is None else moment(from_),
        end=FOREVER if to is None else moment(to),
        as_of=now if as_of is None else moment(as_of),
        mature=None if mature_days is None else mature_days * _DAY,
        shown=show,
    )
    _check(question.start, question.end, minutes_per_alert, mature_days, show, seed)
    with opened(place) as there, _file(differences) as write, _bar(there) as progress:
        known = Known(there.policies)
        lists = ListHits(there.lists, known, now)
        found = run(
            question,
            History(
                ledger=there.ledger,
                words=there.labels.of,
                learned=there.learned,
                in_order=there.in_order,
            ),
            against=_side(against, there, known, lists),
            policy=_side(policy, there, known, lists),
            write=write,
            progress=progress,
        )
        telling = Telling(
            minutes_per_alert=minutes_per_alert, seed=seed, lists_now=lists.asked, in_order=there.in_order
        )
        told = members(found, telling)
    if json:
        print_json(told)
    else:
        print_backtest(told)


def _check(start: int, end: int, minutes: float, mature: int | None, show: int, seed: int) -> None:
    faults = []
    if start >= end:
        faults.append(Fault("to", "--to must be later than --from"))
    if not 0 <= minutes <= 1440:
        faults.append(Fault("minutes", f"--minutes-per-alert {minutes:g} must be from 0 to 1440"))
    if mature is not None and not 0 <= mature <= 4000:
        faults.append(Fault("mature", f"--mature-days {mature} must be from 0 to 4000"))
    if not 0 <= show <= 1000:
        faults.append(Fault("show", f"--show {show} must be from 0 to 1000; --differences takes all"))
    if seed < 0:
        faults.append(Fault("seed", f"--seed {seed} must not be negative"))
    if faults:
        raise Rejected(faults)


def _side(name: str, there: Opened, known: Known, lists: ListHits) -> Side:
    from shroff.flows.backtest import AsStored, MadeAgain
    from shroff.flows.models import KnownModels, with_models

    chosen = None if name in (CURRENT, STORED) else name
    found = read_policy(document_named(there.policies, chosen))
    if name == STORED:
        return AsStored(name=name, policy=found, known=known)
    policy = with_models(found, KnownModels(there.models))
    return MadeAgain(name=Path(name).name, policy=policy, lists=lists)


@contextmanager
def _file(path: Path | None) -> Iterator[Write | None]:
    """Writes differences, one JSON object a line; the file is there when all of them are."""
    if path is None:
        yield None
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield lambda found: (file.write(encode(found) + b"\n"), None)[1]
        part.replace(path)
    except OSError as error:
        raise Rejected([Fault("differences", f"cannot write {path}: {error.strerror}")]) from None


@contextmanager
def _bar(there: Opened) -> Iterator[Any]:
    """A progress bar over all of history, which is read whatever is asked of it."""
    from shroff.cli.progress import tracked

    rows = 0
    with tracked("backtest", there.ledger.totals()["decided"], "rows") as show:

        def progress(more: int) -> None:
            nonlocal rows
            rows += more
            show(rows, rows)

        yield progress
