"""The commands on AWS: the same words, the same answers, and a sentence where AWS says no."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import shroff
from shroff.adapters.aws.intermission import AwsIntermission
from shroff.adapters.aws.store import AwsStore
from shroff.cli import main
from shroff.codec import encode_transaction
from shroff.core.transaction import Transaction
from shroff.flows.decide import decide
from shroff.flows.learn_shared import LearnPorts, Progress, learn_pending
from shroff.flows.publish import newest_readable, publish
from shroff.ports import Entry, Failure
from shroff.runtimes.wiring import wall_clock
from tests.adapters.aws_cloud import cloud
from tests.adapters.shelves import REGION, client
from tests.core.samples import DOCUMENT, HEAVY, START, transaction

OTHER = DOCUMENT.replace("count_5m", "count_6m")
DATE = f"{datetime.fromtimestamp(START / 1_000, UTC):%Y-%m-%d}"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
}  # fmt: skip


@dataclass
class Commands:
    """Runs `shroff` as one types it."""

    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        self.patch.setattr("sys.argv", ["shroff", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capture.readouterr()
        return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Commands:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Commands(monkeypatch, capsys)


@dataclass
class Stack:
    suffix: str
    store: AwsStore

    def accept(self, *transactions: Transaction) -> None:
        self.store.queue.append(
            [
                Entry(
                    transaction_id=each.transaction_id,
                    body=encode_transaction(each),
                    received_at=each.occurred_at,
                )
                for each in transactions
            ]
        )

    def consume(self) -> None:
        """Decide what is on the queue, as the consumer does; what cannot be read is buried."""
        url = self.store.cloud.names.queue_url
        sqs, policy = client("sqs"), newest_readable(self.store.policies)
        assert policy is not None
        while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in received:
                message = self.store.queue.find(json.loads(each["Body"]).get("transaction_id", "bad"))
                assert message is not None
                outcome = decide(
                    [message], policy=policy, entities=self.store.entities, lists=self.store.lists,
                    clock=wall_clock, pause=lambda _: None,
                )  # fmt: skip
                for unsettled in outcome.work.unsettled:
                    self.store.dead_letters.bury(unsettled.message)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    def look_back(self) -> Progress:
        """Learn what is known, as the sweep's function does."""
        policy = newest_readable(self.store.policies)
        assert policy is not None
        ports = LearnPorts(
            labels=self.store.labels,
            entities=self.store.entities,
            policy=lambda: policy,
            clock=wall_clock,
            pause=lambda _: None,
        )
        return learn_pending(ports, lambda: True)

    @staticmethod
    def seen(name: str, transaction_id: str, run: Commands) -> Any:
        return json.loads(run("transactions", "show", transaction_id, "--json")[1])["decision"]["features"][
            name
        ]


@pytest.fixture
def stack(run, monkeypatch):
    with cloud() as environment:
        store = environment(clock=wall_clock, shards=5)
        suffix = store.cloud.names.state.removeprefix("state-")
        monkeypatch.setenv("SHROFF_RUNTIME", "aws")
        monkeypatch.setenv("SHROFF_SUFFIX", suffix)
        functions(suffix)
        publish(store.policies, DOCUMENT, 0)
        made = Stack(suffix, store)
        made.accept(*(transaction(number, number * 1_000, customer_id="ann") for number in range(3)))
        made.consume()
        yield made
        store.close()


def functions(suffix: str) -> None:
    role = client("iam").create_role(RoleName=f"r-{suffix}", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("handler.py", "")
    made = client("lambda")
    for name in ("api-handler", "queue-consumer"):
        made.create_function(
            FunctionName=f"{name}-{suffix}", Runtime="python3.11", Role=role, Handler="handler.handler",
            Code={"ZipFile": packed.getvalue()}, Timeout=30,
            Environment={"Variables": {"SHROFF_SHARDS": "5", "SHROFF_CURRENCY": "EUR"}},
        )  # fmt: skip
    # Of a queue of its own: moto would start a container for whatever came on it.
    url = client("sqs").create_queue(QueueName=f"idle-{suffix}")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    made.create_event_source_mapping(
        FunctionName=f"queue-consumer-{suffix}", EventSourceArn=arn["Attributes"]["QueueArn"]
    )


def test_a_transaction_is_shown_with_its_decision(run, stack):
    code, out, _ = run("transactions", "show", "t1", "--json")
    assert code == 0
    assert (json.loads(out)["status"], json.loads(out)["decision"]["outcome"]) == ("decided", "approve")
    code, _, err = run("transactions", "show", "nope")
    assert (code, err) == (1, 'shroff: no transaction "nope" was accepted here\n')


def test_the_audit_counts_all_of_the_stack(run, stack):
    stack.accept(transaction(9))
    code, out, _ = run("audit", "--json")
    assert code == 0
    assert json.loads(out) == {
        "accepted": 4, "decided": 3, "dead_lettered": 0, "in_flight": 1, "missing": [],
    }  # fmt: skip


def test_a_dead_letter_is_listed_mended_and_handed_over_again(run, stack, tmp_path):
    stack.accept(transaction(7, customer_id="bob"))
    message = stack.store.queue.find("t7")
    client("sqs").purge_queue(QueueUrl=stack.store.cloud.names.queue_url)
    stack.store.dead_letters.bury(
        type(message)(
            seq=message.seq, transaction_id="t7", body=message.body, received_at=message.received_at,
            failures=(Failure(at=5, cause="ValueError: odd"),),
        )
    )  # fmt: skip
    code, out, _ = run("dead-letters", "list", "--json")
    assert (code, [each["transaction_id"] for each in json.loads(out)]) == (0, ["t7"])
    fixed = tmp_path / "t7.json"
    fixed.write_text('{"transaction_id": "t7", "amount": 5, "timestamp": 1700000000, "customer_id": "eve"}')
    assert run("dead-letters", "edit", "t7", "--file", str(fixed))[0] == 0
    code, out, _ = run("dead-letters", "redrive", "--all")
    assert out.startswith("1 handed over again")
    stack.consume()
    _, out, _ = run("transactions", "show", "t7", "--json")
    # Where it names no currency, it is in that of the stack.
    assert json.loads(out)["transaction"]["currency"] == "EUR"
    assert run("dead-letters", "list")[1] == "No dead letters.\n"


def test_lists_are_those_of_the_stack(run, stack):
    assert run("lists", "add", "blocked", "bob", "eve") == (0, "2 put on blocked\n", "")
    assert run("lists", "remove", "blocked", "eve")[1] == "1 taken off blocked\n"
    assert run("lists", "show", "blocked")[1] == "bob\n"
    assert stack.store.lists.members("blocked", ["bob", "eve"], 0) == {"bob"}


def test_a_policy_with_the_same_windows_is_in_force_at_once(run, stack, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(DOCUMENT.replace("score = 0.9", "score = 0.91"))
    code, _, err = run("policy", "publish", str(file))
    assert (code, err) == (0, "")
    assert run("policy", "diff", str(file))[0] == 0
    assert run("policy", "rollback")[0] == 0
    assert len(stack.store.policies.history()) == 3


@pytest.fixture
def quick(monkeypatch) -> list[float]:
    """Nobody waits for what moto does at once."""
    slept: list[float] = []
    monkeypatch.setattr(AwsIntermission.__init__, "__defaults__", (slept.append,))
    return slept


def test_a_policy_with_other_windows_knows_history_before_it_decides(run, stack, tmp_path, quick):
    file = tmp_path / "policy.toml"
    file.write_text(OTHER)
    code, _, err = run("policy", "publish", str(file))
    assert code == 0
    assert "3 transactions were folded into" in err
    assert sum(quick) > 30
    states = [each["State"] for each in _sources(stack.suffix)]
    assert states == ["Enabled"]
    stack.accept(transaction(20, 60_000, customer_id="ann"))
    stack.consume()
    _, out, _ = run("transactions", "show", "t20", "--json")
    features = json.loads(out)["decision"]["features"]
    assert features["customer.count_6m"] == 3


def test_a_label_that_was_learned_is_known_to_other_windows_to_replays_and_to_backtests(
    run, stack, tmp_path, quick
):
    asking, other = tmp_path / "asking.toml", tmp_path / "other.toml"
    asks = DOCUMENT.replace('customer = ["count_5m"', 'customer = ["fraud_count_7d", "count_5m"')
    asks += '[[rules]]\nname = "known"\nwhen = "customer.fraud_count_7d >= 1"\noutcome = "review"\n'
    asking.write_text(asks)
    other.write_text(asks.replace("count_5m", "count_6m"))
    assert run("policy", "publish", str(asking))[0] == 0
    labels = tmp_path / "labels.csv"
    labels.write_text(f"transaction_id,label,source,known_at\nt1,fraud,analyst,{START // 1_000 + 60}\n")
    assert run("labels", "import", str(labels))[0] == 0
    stack.accept(transaction(20, 70_000, customer_id="ann"))
    stack.consume()
    assert stack.look_back().learned == 1
    stack.accept(transaction(21, 80_000, customer_id="ann"))
    stack.consume()
    assert run("policy", "publish", str(other))[0] == 0
    assert stack.look_back().learned == 0
    stack.accept(transaction(22, 90_000, customer_id="ann"))
    stack.consume()
    seen = [stack.seen("customer.fraud_count_7d", f"t{number}", run) for number in (20, 21, 22)]
    assert seen == [0, 1, 1]
    for number in (20, 21, 22):
        assert run("replay", f"t{number}")[0] == 0
    code, out, _ = run("backtest", "--policy", str(other), "--against", "stored", "--json")
    # The one that was decided after the label was known and before it was learned.
    found = {each["transaction_id"]: each["differs"] for each in json.loads(out)["differences"]["first"]}
    assert code == 0
    assert [name for name, differs in found.items() if "outcome" in differs] == ["t20"]


def test_a_policy_that_outgrows_an_item_is_refused_before_anything_is_done(run, stack, tmp_path, quick):
    file = tmp_path / "policy.toml"
    file.write_text(HEAVY)
    code, out, err = run("policy", "publish", str(file))
    assert (code, out) == (1, "")
    assert err.startswith("shroff: what is remembered of one customer could come to 4")
    assert err.endswith("give it fewer distinct counts or windows\n")
    assert err.count("\n") == 1
    stack.store.policies.publish("heavy", HEAVY, 1)
    publish(stack.store.policies, DOCUMENT, 2)
    assert run("policy", "rollback") == (1, "", err)
    assert (quick, len(stack.store.policies.history())) == ([], 3)


def _sources(suffix: str) -> list[dict[str, Any]]:
    found = client("lambda").list_event_source_mappings(FunctionName=f"queue-consumer-{suffix}")
    sources: list[dict[str, Any]] = found["EventSourceMappings"]
    return sources


def test_the_report_is_in_the_bucket(run, stack):
    code, out, err = run("report", "--date", DATE, "--json")
    assert code == 0, err
    places = json.loads(out)["files"]
    bucket = stack.store.cloud.names.bucket
    assert [place.startswith(f"s3://{bucket}/reports/{DATE}/") for place in places] == [True] * 3
    table = client("s3").get_object(Bucket=bucket, Key=places[0].partition(f"{bucket}/")[2])["Body"].read()
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [row["transaction_id"] for row in rows] == ["t0", "t1", "t2"]


def test_a_decision_is_made_again_to_the_byte(run, stack):
    code, out, _ = run("replay", "t2")
    assert (code, out) == (0, "t2: the same to the byte, after 2 earlier ones of its entities\n")


def test_a_sweep_looks_back_over_the_stack(run, stack):
    code, out, _ = run("sweep", "--at", str(START / 1_000 + 60), "--window", "300", "--json")
    assert (code, json.loads(out)["transactions"]) == (0, 3)


@pytest.mark.parametrize(
    "words",
    [
        ["serve"], ["demo"], ["keys", "list"], ["notifications", "list"], ["doctor"],
        ["import", str(Path(shroff.__file__).parent / "policies" / "default.toml")],
    ],
)  # fmt: skip
def test_what_makes_no_sense_on_aws_says_so_in_a_sentence(run, monkeypatch, words):
    monkeypatch.setenv("SHROFF_RUNTIME", "aws")
    monkeypatch.setenv("SHROFF_SUFFIX", "dev")
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err.startswith("shroff: ")
    assert err.count("\n") == 1


# What AWS says no to


def test_a_stack_that_is_not_there_is_said_with_what_to_check(run, stack):
    code, _, err = run("audit", "--suffix", "other")
    assert code == 1
    assert err.startswith('shroff: no stack "other" was found in this account and region: check --suffix')


@pytest.mark.parametrize("words", [["--runtime", "aws"], ["--suffix", "dev"]])
def test_a_stack_is_named_by_both_words(run, words):
    code, _, err = run("audit", *words)
    assert code == 1
    assert "suffix" in err


@pytest.mark.parametrize("suffix", ["Dev", "d v", "-d", "d--d", "d" * 40, "dé"])
def test_what_cannot_be_a_suffix_is_refused(run, suffix):
    code, _, err = run("audit", "--runtime", "aws", f"--suffix={suffix}")
    assert code == 1
    assert "cannot be the suffix" in err


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "no AWS credentials were found"),
        (["AWS_SECRET_ACCESS_KEY"], "no AWS credentials were found"),
        (["AWS_DEFAULT_REGION"], "no AWS region is set"),
    ],
)
def test_without_credentials_or_region_it_says_where_they_go(run, monkeypatch, tmp_path, names, said):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in names:
        monkeypatch.delenv(name)
    code, _, err = run("audit", "--runtime", "aws", "--suffix", "dev")
    assert code == 1
    assert err.startswith(f"shroff: {said}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "these AWS credentials may not do that: GetFunctionConfiguration: no, no"),
        ("ExpiredTokenException", "AWS does not accept these credentials (ExpiredTokenException)"),
        ("ThrottlingException", "ThrottlingException: no, no; try again"),
    ],
)
def test_what_aws_refuses_is_one_sentence(run, stack, monkeypatch, code, said):
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def refuse(self: BaseClient, operation: str, _: dict[str, Any]) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no, no"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    status, out, err = run("audit")
    assert (status, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
