from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shroff.adapters.files.lists import expiry, read_list
from shroff.core.errors import Rejected

NOW = 1_700_000_000_000


def read(path: Path) -> tuple[list[Any], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    return list(read_list(path, now=NOW, bad=lambda line, problem: bad.append((line, problem)))), bad


def test_a_list_is_one_value_a_line(write):
    assert read(write("l.txt", "# stolen\ncust-1\n\n  cust-2  \r\n")) == (
        [("cust-1", None), ("cust-2", None)],
        [],
    )


def test_a_value_may_have_an_expiry(write):
    text = 'value,expires\na,2023-11-15\nb,1700000001.5\nc,30d\n"d, e",\n'
    assert read(write("l.csv", text)) == (
        [("a", 1_700_006_400_000), ("b", 1_700_000_001_500), ("c", NOW + 30 * 86_400_000), ("d, e", None)],
        [],
    )


def test_bad_lines_are_told_by_number_and_the_others_go_on(write):
    text = f"a\n,30d\nb,soon\nc,1700000000000\nd,1d,x\n{'e' * 257}\n".encode() + b"\xff\nf\n"
    found, bad = read(write("l.csv", text))
    assert found == [("a", None), ("f", None)]
    assert [line for line, _ in bad] == [2, 3, 4, 5, 6, 7]
    assert bad[1][1].startswith('"soon" is no time; give an ISO 8601 time')
    assert bad[3][1].startswith("there are 3 columns")


def test_a_list_that_cannot_be_read_is_told(write, tmp_path):
    for path, says in ((tmp_path / "none", "no such file"), (write("l", ""), "is empty")):
        with pytest.raises(Rejected, match=says):
            read(path)


def test_a_million_values_are_read_one_by_one(write):
    path = write("l.txt", "\n".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(1_000_000)))
    values = read_list(path, now=NOW, bad=lambda line, problem: pytest.fail(problem))
    assert sum(1 for _ in values) == 1_000_000


@pytest.mark.parametrize("text", ["-1", "1e300", "2023-11-32", "d30", "0d"])
def test_an_expiry_that_is_none_is_an_error(text):
    with pytest.raises(ValueError, match="give an ISO 8601 time"):
        expiry(text, NOW)
