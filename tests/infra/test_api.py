"""API Gateway knows the routes of the desk, and refuses nothing that Shroff accepts."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.components import contract
from infra.components.contract import ROUTES, SCHEMA, Route, fingerprint, refusals
from infra.settings import Settings
from shroff.core.errors import Rejected
from shroff.core.transaction import parse
from tests.docs.pages import ROOT
from tests.infra.declared import World, declare

GOOD = {"transaction_id": "txn-1", "amount": 99.99, "timestamp": 1700000000}
DESK = ROOT / "src" / "shroff" / "api" / "gateway" / "routes"


def test_every_route_of_the_desk_is_in_the_api() -> None:
    source = "".join(path.read_text() for path in DESK.glob("*.py") if path.name != "metrics.py")
    named = set(re.findall(r'Route\(\s*"([^"]+)",\s*(GET|POST)', source))
    (batch,) = re.findall(r'name = "([^"]+)"', (DESK / "batch.py").read_text())
    assert len(named) == 6
    assert {(each.path, each.method) for each in ROUTES} == named | {(batch, "POST")}


def test_every_route_goes_to_the_function_and_may(world: World) -> None:
    methods, ways, may = (
        {each.name for each in world.all(kind)}
        for kind in ("apigateway.Method", "apigateway.Integration", "lambda.Permission")
    )
    assert methods == ways == may == {each.name for each in ROUTES}
    assert {each.given["type"] for each in world.all("apigateway.Integration")} == {"AWS_PROXY"}
    permission = world.one("lambda.Permission", "GET /transactions/{id}")
    assert permission.given["sourceArn"].endswith(":api1/prod/GET/transactions/*")


def test_bodies_of_one_transaction_are_checked_and_batches_are_not(world: World) -> None:
    checked = {each.name for each in world.all("apigateway.Method") if each.given.get("requestModels")}
    assert checked == {"POST /transactions", "POST /decisions"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROUTES", (*ROUTES, Route(method="POST", path="/refunds"))),
        ("ROUTES", (*ROUTES[:-1], Route(method="GET", path="/ready", checked=True))),
        ("SCHEMA", SCHEMA | {"required": ["transaction_id"]}),
        ("REFUSALS", contract.REFUSALS[1:]),
    ],
)
def test_a_change_of_the_api_deploys_the_stage(
    name: str, value: Any, world: World, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.one("apigateway.Deployment", "deployment").given["triggers"]
    monkeypatch.setattr(contract, name, value)
    assert {"contract": fingerprint(Settings(suffix="prod"), "api-handler-prod")} != before


def test_the_same_api_is_not_deployed_again(world: World, dist: Path) -> None:
    again = declare(Settings(suffix="prod", memory=1024), dist).one("apigateway.Deployment", "deployment")
    assert again.given["triggers"] == world.one("apigateway.Deployment", "deployment").given["triggers"]


def test_another_way_to_say_who_one_is_deploys_the_stage() -> None:
    assert len({fingerprint(Settings(suffix="a", auth=auth), "f") for auth in ("key", "iam")}) == 2


@pytest.mark.parametrize("refusal", refusals(Settings(suffix="a")), ids=lambda each: each.kind)
def test_every_refusal_has_the_shape_of_the_contract(refusal: contract.Refusal) -> None:
    said = refusal.template.replace("$context.error.messageString", '"Bad"')
    (sentence,) = json.loads(said).values()
    assert list(json.loads(said)) == ["error"]
    assert sentence
    if refusal.status in (429, 503, 504):
        assert re.fullmatch(r"'\d+'", refusal.headers["gatewayresponse.header.Retry-After"])


def test_answers_that_are_not_named_keep_their_status(world: World) -> None:
    """AWS gives the status of the family to every answer of it that has none of its own."""
    assert world.one("apigateway.Response", "DEFAULT_4XX").given.get("statusCode") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": None}, {"amount": True}, {"amount": "a lot"}, {"amount": "-5"}, {"timestamp": "noon"},
        {"transaction_id": ""}, {"transaction_id": 7}, {"transaction_id": "x" * 129}, {"customer_id": 7},
        {"basket": [1, 2]}, {"basket": {"a": 1}}, {"latitude": "north"}, {"email": "x" * 257},
    ],
    ids=str,
)  # fmt: skip
def test_the_model_refuses_a_wrong_shape_as_shroff_does(wrong: dict[str, Any]) -> None:
    body = GOOD | wrong
    with pytest.raises(Rejected):
        parse(body)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, SCHEMA, cls=jsonschema.Draft4Validator)


@pytest.mark.parametrize("missing", ["transaction_id", "amount", "timestamp"])
def test_the_model_wants_every_required_member(missing: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {k: v for k, v in GOOD.items() if k != missing}, SCHEMA, cls=jsonschema.Draft4Validator
        )


TEXT = st.text(max_size=20) | st.none()
MEMBERS = st.fixed_dictionaries(
    {
        "transaction_id": st.text(min_size=1, max_size=130),
        "amount": st.decimals(0, 10**9, allow_nan=False, places=2)
        | st.from_regex(r"\A[+]?[0-9.]{1,6}([eE][+-]?[0-9])?\Z"),
        "timestamp": st.integers(-1, 10**11) | st.decimals(0, 10**9, places=3),
    },
    optional={
        "currency": st.sampled_from(["USD", "JPY", None]),
        "customer_id": TEXT,
        "merchant": TEXT,
        "latitude": st.integers(-91, 91) | st.none(),
        "note": st.booleans() | st.integers() | st.text() | st.none(),
    },
)


@given(MEMBERS)
def test_the_model_refuses_nothing_that_shroff_accepts(members: dict[str, Any]) -> None:
    try:
        parse(members)
    except Rejected:
        return
    as_sent = json.loads(
        json.dumps(members, default=lambda each: float(each) if isinstance(each, Decimal) else each)
    )
    jsonschema.validate(as_sent, SCHEMA, cls=jsonschema.Draft4Validator)
