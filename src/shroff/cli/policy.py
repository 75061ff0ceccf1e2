"""`shroff policy`: checking, publishing and comparing policies."""

from __future__ import annotations

import difflib
from pathlib import Path

from cyclopts import App

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.policy_document import read_policy
from shroff.ports import Policies, Publication
from shroff.runtimes.wiring import default_policy, wall_clock

app = App(name="policy", help="Check, publish, compare and roll back policies.")


@app.command
def check(file: Path, /) -> None:
    """Say what is wrong with a policy, all of it at once, or that nothing is."""
    policy = read_policy(_text(file))
    print(
        f"{file}: sound; version {policy.version}, {len(policy.rules)} rules, "
        f"{len(policy.feature_names)} features"
    )


@app.command
def publish(file: Path, /, *, place: Place = HERE) -> None:
    """Put a policy in force; a running worker takes it over within two seconds."""
    from shroff.flows.publish import publish as run

    document = _text(file)
    with opened(place, create=True) as there, there.ready(read_policy(document)):
        policy, publication = run(there.policies, document, wall_clock())
    print(f"policy {policy.version} was published at {instant(publication.published_at)}")


@app.command(name="list")
def list_(*, place: Place = HERE, json: Json = False) -> None:
    """Show every act of publishing, oldest first."""
    with opened(place) as there:
        history = there.policies.history()
    rows = [(each.number, each.version, instant(each.published_at)) for each in history]
    if json:
        print_json([{"number": n, "policy_version": version, "published_at": at} for n, version, at in rows])
        return
    marked = [(*row, "in force" if row is rows[-1] else "") for row in rows]
    print_table(("number", "version", "published", ""), marked, "No policy was published.")


@app.command
def show(version: str | None = None, /, *, place: Place = HERE) -> None:
    """Print a policy's document: the one in force, or the one of a version."""
    with opened(place) as there:
        print(_published(there.policies, version).document, end="")


@app.command
def default() -> None:
    """Print the policy that a new installation starts with, to be edited and published."""
    print(default_policy(), end="")


@app.command
def diff(first: str, second: str | None = None, /, *, place: Place = HERE) -> int:
    """Compare two policies, versions or files; of one alone, what it would change of the one in force."""
    names = (None, first) if second is None else (first, second)
    with opened(place) as there:
        before, after = (_document(there.policies, name).splitlines(True) for name in names)
    found = list(difflib.unified_diff(before, after, names[0] or "in force", names[1] or ""))
    print("".join(found), end="")
    return 1 if found else 0


@app.command
def rollback(version: str | None = None, /, *, place: Place = HERE) -> None:
    """Put the policy before the present one in force again, or the one of a version."""
    from shroff.flows.publish import earlier, roll_back

    with opened(place) as there, there.ready(read_policy(earlier(there.policies, version).document)):
        publication = roll_back(there.policies, wall_clock(), version)
    print(f"policy {publication.version} is in force since {instant(publication.published_at)}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Rejected([Fault("file", f"cannot read {file}: {reason}")]) from None


def _document(policies: Policies, name: str | None) -> str:
    if name is not None and Path(name).exists():
        return _text(Path(name))
    return _published(policies, name).document


def _published(policies: Policies, version: str | None) -> Publication:
    history = policies.history()
    matching = [each for each in history if version is None or each.version.startswith(version)]
    if not matching:
        raise Rejected([Fault("version", f'no policy "{version}" here; `shroff policy list` shows them')])
    return matching[-1]
