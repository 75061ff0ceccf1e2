"""The card as a page: whole in itself, true to its document, and to be read on any screen."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from shroff.flows.card import as_page
from tests.card.browser import contrast, laid_out

EVIL = '</title></style><script>alert(1)</script><img src=x onerror="alert(2)">{{ 7*7 }}'


class Seen(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(card) -> str:
    """The page of a card whose names somebody else has given."""
    changed = json.loads(json.dumps(card))
    changed["model"]["name"] = changed["policy"]["name"] = EVIL
    changed["slices"][0]["slices"][0]["name"] = EVIL
    changed["features"][0]["usually"] = changed["warnings"][0]["sentence"] = EVIL
    return as_page(changed).decode()


def test_markup_in_names_is_shown_and_never_interpreted(card) -> None:
    seen = Seen(hostile(card))
    tags = {tag for tag, _ in seen.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in seen.text
    assert "{{ 7*7 }}" in seen.text


def test_the_page_asks_nothing_of_anywhere_else(card) -> None:
    page = hostile(card)
    asking = {"href", "src", "srcset", "action", "data"}
    links = [
        value for _, attributes in Seen(page).elements for name, value in attributes.items() if name in asking
    ]
    assert links == ["data:,"]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_the_page_says_what_the_document_does(card, page: Path) -> None:
    text = Seen(page.read_text()).text
    for each in card["measures"].values():
        assert f"{each['value']:.3f}" in text or f"{each['value']:.4f}" in text
    for each in card["warnings"]:
        assert each["sentence"] in text
    for outcome, score in card["thresholds"]["scores"].items():
        assert f"{outcome} = {score}\n" in text
    for each in card["features"]:
        assert each["name"] in text
        assert each["usually"] in text
    for kind in card["slices"]:
        assert f"By {kind['by']}" in text
    assert f"{card['data']['validation']['transactions']:,} later ones" in text


def test_a_card_without_a_search_or_splits_is_a_page_too(card) -> None:
    text = Seen(as_page(card | {"search": None, "features": [], "slices": []}).decode()).text
    assert "How it was chosen" not in text
    assert "Nothing: no tree splits." in text
    assert "There is nothing to cut by." in text


@pytest.mark.parametrize(("width", "columns"), [(1280, 4), (390, 2)])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_the_screen_and_can_be_read_by_day_and_by_night(
    page: Path, tmp_path: Path, width: int, columns: int, dark: bool
) -> None:
    seen = laid_out(page, tmp_path, width=width, dark=dark)
    assert seen["wider"] <= 0
    assert seen["columns"] == columns
    assert (contrast(seen["paper"], "rgb(0, 0, 0)") < 3) == dark
    assert contrast(seen["ink"], seen["paper"]) > 7
    assert contrast(seen["soft"], seen["paper"]) > 4.5
    assert contrast(seen["line"], seen["paper"]) > 2.5
    assert len(seen["curves"]) == 2
    assert all(250 < wide <= width and 150 < high < 500 for wide, high in seen["curves"])
    assert seen["smallest"] >= 11
    assert seen["unnamed"] == 0
    assert seen["headings"][0] == "H1"
    assert seen["headings"].count("H1") == 1
    assert seen["outside"] == 0
