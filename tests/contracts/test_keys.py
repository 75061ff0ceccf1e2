"""What every store of API keys does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shroff.ports import Key
from tests.contracts.conftest import ONE_WORKER, Store

KEY = Key(
    key_id="k1",
    name="the shop",
    digest="ab" * 32,
    scopes=frozenset({"transactions:write", "decisions:write"}),
    rate=12.5,
    created_at=10,
)

pytestmark = ONE_WORKER  # on AWS, API Gateway and SNS do this


def test_keys_are_kept_whole_oldest_first(store: Store) -> None:
    unlimited = replace(KEY, key_id="k0", rate=None, scopes=frozenset(), created_at=20)
    store.keys.add(unlimited)
    store.keys.add(KEY)
    assert store.keys.all() == [KEY, unlimited]


def test_a_key_id_is_given_out_once(store: Store) -> None:
    store.keys.add(KEY)
    with pytest.raises(ValueError, match="k1"):
        store.keys.add(replace(KEY, name="another"))
    assert store.keys.all() == [KEY]


def test_a_revoked_key_stays_listed_as_revoked(store: Store) -> None:
    store.keys.add(KEY)
    assert store.keys.revoke("k1")
    assert not store.keys.revoke("k1")
    assert not store.keys.revoke("nobody")
    assert store.keys.all() == [replace(KEY, revoked=True)]
