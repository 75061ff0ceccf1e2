from __future__ import annotations

from html.parser import HTMLParser

import pytest

from shroff.flows.audit import Audit
from tests.report.world import MIDNIGHT, World, alert, reason

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


def _hostile(world: World) -> None:
    hits = (reason(text=EVIL),)
    world.decided(EVIL[:128], 100, MIDNIGHT, "review", hits, merchant=EVIL, customer_id=EVIL)
    world.died("dead", b"\xff", MIDNIGHT, cause=EVIL)
    world.store.alerts.add([alert(key=EVIL, reason=EVIL)])
    world.report(audit=Audit(accepted=2, decided=1, dead_lettered=0, in_flight=0, missing=(EVIL,)))


def test_markup_in_names_is_shown_and_never_interpreted(world):
    _hostile(world)
    seen = Seen(world.page())
    tags = {tag for tag, _ in seen.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in seen.text
    assert "49" not in seen.text


def test_the_page_asks_nothing_of_anywhere_else(world):
    _hostile(world)
    page = world.page()
    links = [
        value
        for _, attributes in Seen(page).elements
        for name, value in attributes.items()
        if name in {"href", "src", "srcset", "action", "data"}
    ]
    assert links == ["data:,"]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_a_long_name_is_cut_and_kept_whole_where_it_is_pointed_at(world):
    name = "Very " * 40 + "Long"
    world.decided("t-1", 100, MIDNIGHT, "review", merchant=name)
    world.report()
    seen = Seen(world.page())
    assert name not in seen.text
    assert f"{name[:47]}…" in seen.text
    assert name in [attributes.get("title") for _, attributes in seen.elements]


def test_characters_that_turn_text_around_are_taken_out(world):
    world.decided("t-1", 100, MIDNIGHT, "review", merchant="shop\u202egpj.exe")
    world.report()
    assert "\u202e" not in world.page()


def test_a_day_without_transactions_says_so(world):
    found = world.report()
    assert found["totals"]["count"] == 0
    assert found["summary"] == "There were no transactions on Wednesday 15 August 2018."
    text = Seen(world.page()).text
    assert found["summary"] in text
    assert "No transactions on this day." in text


def test_the_charts_stand_on_the_numbers_of_the_day(world):
    for number in range(3):
        world.decided(f"a-{number}", at=MIDNIGHT + 5 * 3_600_000)
    world.decided("r", at=MIDNIGHT + 5 * 3_600_000, outcome="review")
    world.decided("y", at=MIDNIGHT - 1)
    world.report()
    text = Seen(world.page()).text
    assert "05:00 to 05:59: 4 transactions (3 approve, 1 review, 0 the day before)" in text
    assert "05:00 to 05:59: 1 transaction (1 review)" in text
    assert "23:00 to 23:59: 0 transactions (1 the day before)" in text


@pytest.mark.parametrize(("missing", "said"), [((), "Audit clean:"), (("lost-1",), "Audit gap:")])
def test_the_audit_is_on_the_page(world, missing, said):
    world.report(
        audit=Audit(accepted=1, decided=1 - len(missing), dead_lettered=0, in_flight=0, missing=missing)
    )
    text = Seen(world.page()).text
    assert said in text
    assert all(each in text for each in missing)
