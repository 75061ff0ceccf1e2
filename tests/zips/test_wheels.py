from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from packaging.utils import parse_wheel_filename

from tests.zips.built import ROOT, WHEELS
from zips import Unpackable, archive, wheels
from zips.functions import wanted

LOCK = ROOT / "requirements-lambda.lock"


@pytest.fixture(scope="module")
def fetched() -> list[wheels.Wheel]:
    return wheels.fetch(LOCK, WHEELS)


def test_a_wheel_brings_what_it_asks_for_and_no_more(fetched: list[wheels.Wheel]) -> None:
    assert [each.name for each in wheels.needed(fetched, {"jinja2"})] == ["jinja2", "markupsafe"]
    boto3 = {each.name for each in wheels.needed(fetched, {"boto3"})}
    assert boto3 == {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}


def test_an_import_that_no_wheel_answers_is_named(fetched: list[wheels.Wheel]) -> None:
    with pytest.raises(Unpackable, match=r"granian is imported, but not in requirements-lambda\.lock"):
        wheels.needed(fetched, {"msgspec", "granian"})


def test_a_wheel_of_other_bytes_than_the_lock_says_is_no_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[wheels.Wheel]
) -> None:
    asked = []
    monkeypatch.setattr(wheels, "_download", lambda *_: asked.append("download"))
    for wheel in fetched:
        (tmp_path / wheel.path.name).write_bytes(wheel.path.read_bytes() + bytes(wheel.name == "six"))
    with pytest.raises(Unpackable, match="has no wheel of six"):
        wheels.fetch(LOCK, tmp_path)
    assert asked


def test_every_wheel_loads_on_amazon_linux_2(fetched: list[wheels.Wheel]) -> None:
    for wheel in fetched:
        tags = parse_wheel_filename(wheel.path.name)[3]
        fits = [tag for tag in tags if tag.platform in {"any", wheels.PLATFORM}]
        assert [tag for tag in fits if tag.interpreter in {"cp311", "py3"}], wheel.path.name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so", True),
        ("numpy.libs/libgfortran-040039e1-0352e75f.so.5.0.0", True),
        ("numpy/_core/tests/test_dtype.py", False),
        ("numpy/f2py/crackfortran.py", False),
        ("botocore/data/sqs/2012-11-05/service-2.json.gz", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("six-1.17.0.dist-info/LICENSE", True),
        ("six-1.17.0.dist-info/RECORD", False),
        ("jmespath-1.1.0.data/scripts/jp.py", False),
    ],
)
def test_of_a_wheel_only_what_runs_is_kept(name: str, kept: bool) -> None:
    assert wanted(name) is kept


def test_the_locks_have_the_same_versions_but_of_numpy() -> None:
    pinned = [_versions(ROOT / f"requirements{part}.lock") for part in ("", "-cloud", "-lambda")]
    everyone, cloud, functions = pinned
    assert {name for name in functions if functions[name] != {**cloud, **everyone}[name]} == {"numpy"}
    assert not [name for name in cloud if name in everyone and cloud[name] != everyone[name]]


@pytest.mark.parametrize("part", ["", "-cloud", "-lambda"])
def test_a_lock_names_no_address(part: str) -> None:
    assert not re.search(r"://|--index|--find-links| @ ", (ROOT / f"requirements{part}.lock").read_text())


def test_a_zip_past_a_limit_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ZIPPED", 1_000)
    monkeypatch.setattr(archive, "UNZIPPED", 50_000)
    archive.write(tmp_path / "small.zip", {"zeros": bytes(40_000)})
    with pytest.raises(Unpackable, match=r"large\.zip is 0\.1 MB unzipped: the limit is"):
        archive.write(tmp_path / "large.zip", {"zeros": bytes(60_000)})
    with pytest.raises(Unpackable, match=r"noisy\.zip is 0\.0 MB zipped: the limit is"):
        archive.write(tmp_path / "noisy.zip", {"noise": Random(1).randbytes(40_000)})
    assert [path.name for path in tmp_path.iterdir()] == ["small.zip"]


def _versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), flags=re.MULTILINE))
