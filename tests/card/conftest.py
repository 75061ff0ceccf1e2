from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.card.made import made


@pytest.fixture(scope="session")
def card():
    """The card of a small model, read as a program reads it."""
    from shroff.flows.card import as_json

    return json.loads(as_json(made().card))


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the same card, in a file."""
    from shroff.flows.card import as_page

    path = tmp_path_factory.mktemp("card") / "model.card.html"
    path.write_bytes(as_page(made().card))
    return path
