"""The project's documents, and what is in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENTRANCE = ("README.md", "ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = tuple(sorted([*(ROOT / name for name in ENTRANCE), *(ROOT / "docs").glob("*.md")]))

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOLLOWED = re.compile(r"[|>&]|<<| #")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command that a page shows, after its `$`, with what it answers there."""

    page: str
    command: str
    answer: str

    @property
    def words(self) -> list[str]:
        """Its words, up to a comment, a pipe or a redirection."""
        quoted = shlex.shlex(self.command, posix=True, punctuation_chars="|>&")
        quoted.whitespace_split = True
        words: list[str] = []
        for word in quoted:
            if set(word) <= set("|>&"):
                break
            words.append(word)
        return words

    def __str__(self) -> str:
        return f"{self.page}: {self.command}"


def text(name: str) -> str:
    """A page, by its path from the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language in the text of a page."""
    return [body for found, body in _FENCED.findall(page) if found == language]


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return _FENCED.sub("", page)


def lines(page: Path) -> list[Line]:
    """The commands that a page shows in its indented blocks."""
    found: list[Line] = []
    for block in re.findall(r"(?:^    .*\n?)+", prose(page.read_text(encoding="utf-8")), re.MULTILINE):
        parts = re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]
        for part in parts:
            command, _, answer = part.partition("\n")
            said = re.sub(r"^    ", "", answer, flags=re.MULTILINE).strip("\n")
            found.append(Line(page=str(page.relative_to(ROOT)), command=command, answer=said))
    return found


def cells(page: str) -> list[list[str]]:
    """The rows of a page's tables as cells."""
    rows = [row for row in page.splitlines() if row.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").replace(r"\|", "\0").split("|")] for row in rows]
