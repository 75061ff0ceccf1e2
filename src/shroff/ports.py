"""Questions: what the flows ask of the world. Adapters answer them, all to one contract suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from shroff.core.alert import Alert
from shroff.core.compiled import Array
from shroff.core.decision import Decision
from shroff.core.transaction import Transaction

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""

Fate = Literal["decided", "retrying", "dead_lettered"]


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """A transaction that is about to be accepted."""

    transaction_id: str
    body: bytes
    """Canonical JSON: equal content, equal bytes."""
    received_at: int


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """What became of an entry: accepted now, accepted before, or in conflict with that."""

    transaction_id: str
    message_id: str
    status: Literal["accepted", "repeated", "conflict"]


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt that went wrong."""

    at: int
    cause: str


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """An accepted transaction on its way to its decision."""

    seq: int
    """Its place in the queue, from 1."""
    transaction_id: str
    body: bytes
    received_at: int
    failures: tuple[Failure, ...] = ()


class Queue(Protocol):
    """The durable line between the gateway and the worker: appended to, never rewritten."""

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Accept entries, each durable when this returns. Raises Retryable where none was accepted."""

    def read(self, after: int, limit: int) -> list[Message]: ...
    def find(self, transaction_id: str) -> Message | None: ...
    def last(self) -> int:
        """The place of the newest message, which is also how many were accepted."""

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(seq, transaction_id) of messages in order."""


class Record(Struct, frozen=True, kw_only=True):
    """A decided transaction as it is kept."""

    seq: int
    """Its place in the order in which transactions were observed, from 1."""
    transaction: Transaction
    received_at: int
    decision: Decision


class Unsettled(Struct, frozen=True, kw_only=True):
    """A message that failed, with what comes next: another attempt at `due_at`, or the dead letters."""

    message: Message
    due_at: int | None


Source = Literal["chargeback", "analyst", "customer"]


class Label(Struct, frozen=True, kw_only=True):
    """What somebody says that a transaction was."""

    transaction_id: str
    fraud: bool
    source: Source
    known_at: int
    """From this moment on it may be used, and not before."""
    received_at: int
    stated: bool = True
    """Whether known_at was said; else it is the moment at which the label came."""
    number: int = 0
    """Its place in the order of arrival, from 1; 0 before it is kept."""


class Due(Struct, frozen=True, kw_only=True):
    """A label that may be learned, with all that this takes."""

    label: Label
    transaction: Transaction
    word: Label | None
    """The last word for this transaction among those that were due before, None where there is none."""


class Taken(Struct, frozen=True, kw_only=True):
    """A label that is learned, and just before which row of the work's decided transactions."""

    number: int
    row: int


class Learned(Struct, frozen=True, kw_only=True):
    """A label that was learned, as it is kept so that history can be observed again."""

    place: int
    """Its place in the order of learning, from 1."""
    before: int
    """The `seq` of the record just before which it was learned, whether that is decided yet or not."""
    label: Label
    transaction: Transaction


class Labels(Protocol):
    """All labels that ever came; of each transaction the last word counts, by known_at, then by arrival."""

    def add(self, labels: Sequence[Label]) -> list[Literal["accepted", "repeated"]]:
        """Keep labels, durable when this returns, whether or not their transactions are known.

        One is a repetition where the same is there already: same transaction, word, source and known_at, or,
        where known_at was not stated, where the newest label of this source says the same.
        """

    def after(self, number: int, limit: int) -> list[Label]:
        """Labels in the order of arrival."""

    def of(self, transaction_ids: Sequence[str]) -> list[Label]:
        """Every label of these transactions, in the order of arrival."""

    def counts(self) -> dict[str, int]:
        """fraud and legitimate, of all that came; learned and passed, of those that were due."""


class LearnedLabels(Labels, Protocol):
    """Labels for whoever learns them; what one worker learned is committed with the ledger's work."""

    def due(self, known_at: int, limit: int) -> list[Due]:
        """Not learned yet, known by then, their transactions decided; by known_at, then by arrival."""

    def learned(self, after: int, limit: int) -> list[Learned]:
        """What was learned, in that order; where many workers decide, in the order of `before`."""


class SharedLabels(LearnedLabels, Protocol):
    """Labels where many workers share the entities' state, with which it is committed what was learned."""

    def pending(self, now: int) -> Iterator[list[str]]:
        """Ids of transactions with labels that are known by now and wait, some at a time, oldest first.

        What was learned, passed or put off a moment ago may still be among them.
        """

    def due_of(self, transaction_ids: Sequence[str], now: int) -> tuple[list[Due], list[Label]]:
        """Of these transactions' labels what is due, as `due` says, and what waits for its transaction."""

    def put_off(self, until: Sequence[tuple[Label, int]]) -> None:
        """Labels that are not looked for again before a moment, each with its own."""


class Work(Struct, frozen=True, kw_only=True):
    """All that follows from one batch of messages, committed as one."""

    position: int | None = None
    """The queue is done up to here; None leaves it."""
    decided: Sequence[tuple[Message, Transaction, Decision]] = ()
    """The message's body is the canonical JSON of its transaction."""
    unsettled: Sequence[Unsettled] = ()
    settled: Sequence[str] = ()
    """Ids whose message was a repetition: no longer to be retried, nothing else to do."""
    alerts: Sequence[Alert] = ()

    learned: Sequence[Taken] = ()
    """Labels that the state moved past, in that order."""
    passed: Sequence[int] = ()
    """Numbers of labels that were due and said nothing new: never to be due again."""


class Ledger(Protocol):
    """What became of every accepted transaction.

    Where many workers decide at once there is no one order: `seq` then only grows along each entity, and
    `position` and the places of the queue are moments of acceptance.
    """

    def commit(self, work: Work) -> None:
        """Keep all of the work or none of it. Deciding a transaction again is an error."""

    def position(self) -> int: ...
    def fates(self, transaction_ids: Sequence[str]) -> dict[str, Fate]: ...
    def due(self, now: int, limit: int) -> list[Message]:
        """Messages whose next attempt is due."""

    def find(self, transaction_id: str) -> Record | None: ...
    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        """Records with start <= occurred_at < end, by occurred_at, then transaction_id."""

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        """Records in the order in which they were observed."""

    def newest(self) -> int | None:
        """The latest occurred_at but for three, whose clocks may be ahead; None for fewer than four."""

    def totals(self) -> dict[str, int]:
        """decided, retrying, dead_lettered, alerts, and one `outcome.NAME` each."""


class Part(Struct, frozen=True, kw_only=True):
    """What is kept of one entity, and the part of it that is ours to write.

    An entity on which too many workers meet is kept in several parts, each with its own writers; what is
    remembered of it is all of them together.
    """

    entity: str
    """A policy's name for this kind of entity."""
    key: str
    place: int = 0
    """Which part is ours."""
    version: int = 0
    """Of our part; 0 where nothing is kept in it."""
    clock: int = 0
    """The highest `seq` of a record that any part has seen."""
    state: bytes | None = None
    """What our part remembers."""
    others: tuple[bytes, ...] = ()
    """What the other parts remember."""


class Uptake(Struct, frozen=True, kw_only=True):
    """Labels that become learned in one commit with the state that moved past them."""

    learned: Sequence[Label]
    passed: Sequence[Label]
    """They were due and said nothing new: never to be due again."""
    turn: int
    """As `Entities.turn` said it before the policy and the labels were read."""


class Entities(Protocol):
    """The entities' state beside the ledger, for many workers at once; a generation for each state key."""

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        """A part for each (entity, key), in the order given."""

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        """Keep the work and the new state of these parts, all or nothing; returns the alerts that are new.

        Records are numbered on from the highest clock of the parts. Raises Contended where another worker
        wrote to a part meanwhile, Repeated for what was decided before, TooLarge for what must be halved.
        """

    def turn(self) -> int | None:
        """What `learn` is to be told; None while deciding stands still, and nothing may be learned."""

    def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
        """Keep that labels were learned, and the new state of these parts, all or nothing.

        They are learned just before the next record of any of the parts. Raises Contended where another
        worker wrote to a part or took one of the labels meanwhile, or the turn is over; TooLarge as `commit`.
        """

    def fill(self, generation: str, states: Iterable[tuple[str, str, bytes]], clock: int) -> None:
        """Replace what is kept of (entity, key), whoever wrote it; for use while nobody decides."""


class Intermission(Protocol):
    """A pause in which nobody decides; what is accepted meanwhile waits."""

    def begin(self) -> None:
        """Stop all deciding; returns once nothing is being decided, and all that was can be read."""

    def end(self) -> None:
        """Let deciding go on, by what was published meanwhile."""

    def lasts(self) -> bool:
        """Whether one was begun that did not end, by whoever crashed in it."""


class Chunks(Protocol):
    """Sealed windows of history: every record that occurred in `SEALED` milliseconds, compressed."""

    def write(self, start: int, records: Iterable[Sequence[Record]]) -> int:
        """Replace the chunk of the window that begins at `start`; returns how many records it holds.

        The records are read after the chunk that is there was looked at. Raises Contended where another
        one took its place meanwhile: that one may know more.
        """

    def read(self, start: int) -> Iterator[list[Record]] | None:
        """Its records by occurred_at, then transaction_id; None where it was never sealed."""

    def windows(self, start: int, end: int) -> Iterator[int]:
        """Where the sealed windows begin that begin at start <= moment < end, in order."""


SEALED = 300_000
"""Milliseconds of a sealed window; they begin at multiples of it."""
FOREVER = 2**62
"""Later than any moment."""


class LateMarks(Protocol):
    """Sealed windows into which something came late, so that they are sealed again."""

    def all(self, start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
        """(start of the window, the moment of its newest mark, which grows with every mark), oldest first.

        Only of windows that begin from `start` on and before `end`.
        """

    def clear(self, start: int, number: int) -> None:
        """Forget a mark, unless it has grown since."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that was given up, with why and when."""

    message: Message
    died_at: int
    discarded: bool = False


class DeadLetters(Protocol):
    """What could not be processed, kept until a person decides."""

    def all(self) -> Iterator[DeadLetter]:
        """Oldest first."""

    def get(self, transaction_id: str) -> DeadLetter | None: ...
    def edit(self, transaction_id: str, body: bytes) -> bool: ...
    def redrive(self, transaction_ids: Iterable[str], now: int) -> int:
        """Hand them over again from a first attempt; returns how many were there to hand over."""

    def discard(self, transaction_ids: Iterable[str]) -> int: ...


class Publication(Struct, frozen=True, kw_only=True):
    """One act of publishing a policy."""

    number: int
    version: str
    document: str
    published_at: int


class Policies(Protocol):
    """Every policy that ever was in force."""

    def publish(self, version: str, document: str, at: int) -> Publication: ...
    def active(self) -> Publication | None: ...
    def get(self, version: str) -> Publication | None: ...
    def history(self) -> list[Publication]: ...


class Registration(Struct, frozen=True, kw_only=True):
    """A model in the registry. Its document is asked for by its version, as it may be large."""

    version: str
    """Hash of the document's content, by which policies name the model."""
    name: str
    added_at: int
    retired_at: int | None = None
    """Retired ones are kept, since decisions were made by them, and are not to be named again."""


class Models(Protocol):
    """The models that policies may name; none is ever removed."""

    def add(self, version: str, name: str, document: bytes, at: int) -> Registration:
        """Keep a model. One that is there stays as it is, and is no longer retired."""

    def document(self, version: str) -> bytes | None: ...
    def all(self) -> list[Registration]:
        """Oldest first; those of one moment by their version."""

    def retire(self, version: str, at: int) -> bool:
        """False where there is no such model, or it was retired before."""


class Lists(Protocol):
    """Allowlists and blocklists."""

    def add(self, name: str, entries: Iterable[tuple[str, int | None]]) -> int:
        """Add (value, expires_at or None); a value added again takes the new expiry. Returns how many."""

    def remove(self, name: str, values: Iterable[str]) -> int: ...
    def members(self, name: str, values: Sequence[str], now: int) -> set[str]:
        """Those of the values that are on the list and not expired."""

    def entries(self, name: str) -> Iterator[tuple[str, int | None]]: ...
    def counts(self) -> dict[str, int]: ...


class Alerts(Protocol):
    """The alert log: in the order of raising, each alert once."""

    def add(self, alerts: Sequence[Alert], *, count_hits: bool = True) -> int:
        """Keep alerts, counting hits on those already there unless told not to; returns how many are new."""

    def last(self) -> int:
        """The position of the newest alert; 0 without any."""

    def after(self, position: int, limit: int) -> list[tuple[int, Alert]]: ...
    def between(self, start: int, end: int) -> list[Alert]:
        """Alerts with start <= occurred_at < end, by occurred_at, then alert_id."""


class Deliveries(Protocol):
    """How far each notification channel has come, and what it could not deliver."""

    def position(self, channel: str) -> int | None:
        """None where the channel has never run."""

    def advance(self, channel: str, position: int, failed: Mapping[str, tuple[Failure, int | None]]) -> None:
        """Move on; alert_id → (failure, next attempt or None for given up), in the same commit."""

    def due(self, channel: str, now: int) -> list[tuple[Alert, tuple[Failure, ...]]]: ...
    def settle(self, channel: str, alert_id: str, failure: Failure | None, due_at: int | None) -> None:
        """Delivered where failure is None; else another attempt at due_at, or given up."""

    def dead(self) -> list[tuple[str, Alert, tuple[Failure, ...]]]:
        """(channel, alert, failures) of what was given up."""

    def redrive(self, channel: str, alert_ids: Iterable[str], now: int) -> int: ...


class Channel(Protocol):
    """A way to tell somebody about an alert."""

    name: str

    def send(self, alert: Alert) -> None:
        """Raises Retryable where another attempt may help, Rejected where none will."""


class Reports(Protocol):
    """Where daily reports are kept."""

    def write(self, date: str, files: Mapping[str, Iterable[bytes]]) -> list[str]:
        """Replace the files of one day, each whole or not at all; returns where they are, in the order given.

        A file comes in parts, and is taken to its end before the next one is begun: what a report says of
        its rows is known only after the last of them.
        """

    def read(self, date: str, name: str) -> bytes | None:
        """A file of one day; None where there is none."""


class Draft(Protocol):
    """A report's table in the making, with how far the report has come."""

    @property
    def progress(self) -> bytes | None:
        """What was saved last; None where nothing was, and the table is empty."""

    def write(self, rows: bytes) -> None:
        """Go on with the table. What comes after the last saving is forgotten in a crash."""

    def save(self, progress: bytes) -> None:
        """Keep the table so far, and the progress that belongs to it, as one."""

    def finish(self, tally: bytes) -> str:
        """Put the table in its place, keep the day's tally, end the draft; returns where the table is."""


class Drafts(Protocol):
    """Reports of days that are too long for one run."""

    def open(self, date: str, name: str) -> Draft:
        """The draft of a day's table as it was saved last, or an empty one."""

    def tally(self, date: str) -> bytes | None:
        """What a finished day amounts to; None where no draft of it was finished."""


class Snapshots(Protocol):
    """The entities' state on the way, so that a start need not fold all of history again."""

    def save(self, key: str, seq: int, arrays: Mapping[str, Array]) -> None:
        """Replace the snapshot: the state after record `seq`, for policies of this state key."""

    def load(self, key: str) -> tuple[int, dict[str, Array]] | None:
        """None where there is no sound snapshot for this key."""


class Schedule(Protocol):
    """When each periodic job last ran to its end."""

    def last(self, job: str) -> int | None: ...
    def done(self, job: str, tick: int) -> None: ...


class Key(Struct, frozen=True, kw_only=True):
    """Who may call, for what and how often."""

    key_id: str
    name: str
    digest: str
    """SHA-256 of the secret, in hex; the secret itself is kept nowhere."""
    scopes: frozenset[str]
    rate: float | None
    """Requests per second, or None for no limit."""
    created_at: int
    revoked: bool = False


class Keys(Protocol):
    """The API keys that were ever given out."""

    def add(self, key: Key) -> None:
        """Raises ValueError where the key_id is taken."""

    def revoke(self, key_id: str) -> bool:
        """Refuse a key from now on; False where there is none, or it was revoked before."""

    def all(self) -> list[Key]:
        """Oldest first."""
