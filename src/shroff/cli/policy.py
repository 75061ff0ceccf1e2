"""`shroff policy`: checking, publishing and comparing policies."""

from __future__ import annotations

import difflib
from pathlib import Path

from cyclopts import App

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.ports import Policies, Publication
from shroff.runtimes.opened import Opened
from shroff.runtimes.wiring import default_policy, wall_clock

app = App(name="policy", help="Check, publish, compare and roll back policies.")


@app.command
def check(file: Path, /, *, place: Place = HERE) -> None:
    """Say what is wrong with a policy, all of it at once, or that nothing is.

    The models that it names are looked for where it is to be published.
    """
    policy = read_policy(document_of(file))
    if policy.model is not None:
        from shroff.flows.models import KnownModels, with_models

        with opened(place) as there:
            policy = with_models(policy, KnownModels(there.models))
    print(
        f"{file}: sound; version {policy.version}, {len(policy.rules)} rules, "
        f"{len(policy.feature_names)} features"
    )


@app.command
def publish(file: Path, /, *, place: Place = HERE) -> None:
    """Put a policy in force; a running worker takes it over within two seconds."""
    document = document_of(file)
    with opened(place, create=True) as there:
        policy, publication = put_in_force(there, document)
    print(f"policy {policy.version} was published at {instant(publication.published_at)}")


def put_in_force(there: Opened, document: str) -> tuple[Policy, Publication]:
    """Publish a document, once its models are known and its windows are filled. Raises Rejected."""
    from shroff.flows.models import KnownModels, with_models
    from shroff.flows.publish import publish as run

    model_of = KnownModels(there.models)
    policy = with_models(read_policy(document), model_of)
    with there.ready(policy):
        return run(there.policies, document, wall_clock(), model_of)


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
        before, after = (document_named(there.policies, name).splitlines(True) for name in names)
    found = list(difflib.unified_diff(before, after, names[0] or "in force", names[1] or ""))
    print("".join(found), end="")
    return 1 if found else 0


@app.command
def rollback(version: str | None = None, /, *, place: Place = HERE) -> None:
    """Put the policy before the present one in force again, or the one of a version."""
    from shroff.flows.models import KnownModels
    from shroff.flows.publish import earlier, roll_back

    with opened(place) as there, there.ready(read_policy(earlier(there.policies, version).document)):
        publication = roll_back(there.policies, wall_clock(), version, KnownModels(there.models))
    print(f"policy {publication.version} is in force since {instant(publication.published_at)}")


def document_of(file: Path) -> str:
    """The text of a policy's file. Raises Rejected where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Rejected([Fault("file", f"cannot read {file}: {reason}")]) from None


def document_named(policies: Policies, name: str | None) -> str:
    """A policy's document by its file or version; None is the one in force. Raises Rejected."""
    if name is not None and Path(name).exists():
        return document_of(Path(name))
    return _published(policies, name).document


def _published(policies: Policies, version: str | None) -> Publication:
    history = policies.history()
    matching = [each for each in history if version is None or each.version.startswith(version)]
    if not matching:
        raise Rejected([Fault("version", f'no policy "{version}" here; `shroff policy list` shows them')])
    return matching[-1]
