"""The labels in DynamoDB: kept and listed. The consumer does not learn them yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from shroff.adapters.aws.shelf import Item, Shelf, key
from shroff.ports import Label

_LOG = "labels"
_WORDS = {True: "fraud", False: "legitimate"}


class AwsLabels:
    """Two items a label: under its transaction, which makes it one of a kind, and in the order of arrival.

    A label's number is the moment in which it came; those of one moment have the same.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def add(self, labels: Sequence[Label]) -> list[Literal["accepted", "repeated"]]:
        """Keep labels, each by itself; after a failure, adding all of them again completes it."""
        return [self._add(label) for label in labels]

    def after(self, number: int, limit: int) -> list[Label]:
        """Labels in the order of arrival; all those of the last moment, so that none is left out."""
        found: list[Label] = []
        for label in self._log(number + 1):
            if len(found) >= limit and label.number != found[-1].number:
                break
            found.append(label)
        return found

    def of(self, transaction_ids: Sequence[str]) -> list[Label]:
        """Every label of these transactions, in the order of arrival."""
        found = [
            label
            for transaction_id in dict.fromkeys(transaction_ids)
            for label in self._under(transaction_id)
        ]
        return sorted(found, key=_arrival)

    def counts(self) -> dict[str, int]:
        """fraud and legitimate, counted; none is learned or passed."""
        frauds = [label.fraud for label in self._log(0)]
        return {"fraud": sum(frauds), "legitimate": len(frauds) - sum(frauds), "learned": 0, "passed": 0}

    def _add(self, label: Label) -> Literal["accepted", "repeated"]:
        before = sorted(self._under(label.transaction_id), key=_arrival)
        same = [each for each in before if each.source == label.source]
        if label.stated:
            same = [each for each in same if (each.fraud, each.known_at) == (label.fraud, label.known_at)]
        elif same and same[-1].fraud != label.fraud:
            same = []
        if not same and self._shelf.put_new(_item(label)):
            self._note(label)
            return "accepted"
        # A crash between the two items leaves the second one to whoever repeats the label.
        for each in same[-1:]:
            self._note(each)
        return "repeated"

    def _note(self, label: Label) -> None:
        """Put a label into the log, where it may be already."""
        self._shelf.attempt(self._shelf.client.put_item, Item=_log_item(label))

    def _under(self, transaction_id: str) -> Iterator[Label]:
        return map(_label_of, self._shelf.under(f"label#{transaction_id}"))

    def _log(self, start: int) -> Iterator[Label]:
        return map(_label_of, self._shelf.under(_LOG, span=(f"{start:014d}", "~")))


def _arrival(label: Label) -> tuple[int, int]:
    return label.number, label.known_at


def _sk(label: Label) -> str:
    return f"{label.known_at:014d}#{label.source}#{_WORDS[label.fraud]}"


def _item(label: Label) -> Item:
    return key(f"label#{label.transaction_id}", _sk(label)) | _attributes(label)


def _log_item(label: Label) -> Item:
    sk = f"{label.received_at:014d}#{label.transaction_id}#{_sk(label)}"
    return key(_LOG, sk) | _attributes(label)


def _attributes(label: Label) -> Item:
    return {
        "about": {"S": label.transaction_id},
        "fraud": {"BOOL": label.fraud},
        "source": {"S": label.source},
        "known_at": {"N": str(label.known_at)},
        "received_at": {"N": str(label.received_at)},
        "stated": {"BOOL": label.stated},
    }


def _label_of(item: Item) -> Label:
    return Label(
        transaction_id=item["about"]["S"],
        fraud=item["fraud"]["BOOL"],
        source=item["source"]["S"],
        known_at=int(item["known_at"]["N"]),
        received_at=int(item["received_at"]["N"]),
        stated=item["stated"]["BOOL"],
        number=int(item["received_at"]["N"]),
    )
