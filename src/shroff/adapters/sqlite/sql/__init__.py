"""SQL files: numbered migrations in a folder a database, named statements in a file a port."""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib.resources import files

_NAME = "-- name: "


@cache
def statements(port: str) -> dict[str, str]:
    """The statements of PORT.sql, each under the name in the comment line above it."""
    found: dict[str, str] = {}
    name = ""
    for line in (files(__name__) / f"{port}.sql").read_text("utf-8").splitlines(keepends=True):
        if line.startswith(_NAME):
            name = line.removeprefix(_NAME).strip()
            found[name] = ""
        elif name:
            found[name] += line
    return found


@cache
def migrations(schema: str) -> tuple[tuple[str, ...], ...]:
    """The migrations of a database in their order, each as its statements."""
    scripts = sorted((each for each in (files(__name__) / schema).iterdir()), key=lambda each: each.name)
    return tuple(_split(each.read_text("utf-8")) for each in scripts if each.name.endswith(".sql"))


def _split(script: str) -> tuple[str, ...]:
    """One statement each, for executescript would commit before it starts."""
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return tuple(found)
