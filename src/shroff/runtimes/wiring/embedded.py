"""The adapters of one machine: SQLite and files in a data folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shroff.adapters.files.bookmark import Bookmark
from shroff.adapters.files.lists import read_list
from shroff.adapters.files.readers import open_labels, open_rows
from shroff.adapters.files.reports import FileReports
from shroff.adapters.files.snapshots import FileSnapshots, SnapshotsBehind
from shroff.adapters.files.writers import write_simulated
from shroff.adapters.notify import LogChannel, SmtpChannel, WebhookChannel
from shroff.adapters.sqlite import SqliteQueue, SqliteStore
from shroff.api.gateway.settings import GatewayPorts
from shroff.core.errors import Fault, Rejected
from shroff.flows.figures import newest_figures
from shroff.flows.publish import publish
from shroff.ports import Channel
from shroff.runtimes.settings import Settings, read_settings
from shroff.runtimes.wiring import default_policy, wall_clock

QUEUE, STORE, SNAPSHOT, REPORTS, IMPORTS = "queue.db", "store.db", "state.snapshot", "reports", "imports"

__all__ = [
    "Embedded", "channels", "gateway_ports", "import_bookmark", "open_embedded", "open_labels", "open_rows",
    "read_list", "write_simulated",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Everything of one data folder, opened by one thread."""

    data: Path
    settings: Settings
    queue: SqliteQueue
    store: SqliteStore
    snapshots: SnapshotsBehind
    reports: FileReports

    def close(self) -> None:
        """Close both files, once the snapshot is written."""
        self.snapshots.wait()
        self.queue.close()
        self.store.close()

    def newest(self) -> int:
        """The time of the newest transactions, 0 where there are none: the clock of replayed history."""
        return min(self.store.ledger.newest() or 0, wall_clock())


def open_embedded(data: Path, *, create: bool = True) -> Embedded:
    """Open a data folder, publishing the default policy where none ever was. Raises Rejected."""
    if not create and not (data / STORE).exists():
        raise Rejected(
            [Fault("data", f"{data} holds no Shroff data; `shroff serve --data {data}` starts one there")]
        )
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Rejected([Fault("data", f"cannot use {data} as data folder: {error.strerror}")]) from None
    settings = read_settings(data)
    opened = Embedded(
        data=data,
        settings=settings,
        queue=SqliteQueue(data / QUEUE),
        store=SqliteStore(data / STORE),
        snapshots=SnapshotsBehind(FileSnapshots(data / SNAPSHOT)),
        reports=FileReports(data / REPORTS),
    )
    if opened.store.policies.active() is None:
        publish(opened.store.policies, default_policy(), wall_clock())
    return opened


def channels(settings: Settings) -> list[Channel]:
    """The ways to tell people about alerts that the settings name."""
    found: list[Channel] = [LogChannel()] if settings.log_alerts else []
    if settings.webhook is not None:
        hook = settings.webhook
        found.append(WebhookChannel(hook.url, hook.secret, hook.timeout))
    if settings.smtp is not None:
        mail = settings.smtp
        found.append(
            SmtpChannel(
                mail.host, mail.port, mail.sender, mail.recipients,
                starttls=mail.starttls, user=mail.user, password=mail.password,
            )
        )  # fmt: skip
    return found


def import_bookmark(data: Path, path: Path, mapping: Mapping[str, str]) -> Bookmark:
    """How far the import of a file into a data folder has come."""
    return Bookmark(data / IMPORTS, path, mapping)


def gateway_ports(data: Path) -> GatewayPorts:
    """What the gateway asks, over connections of its own: two to write by, the others to read by."""
    queue, reader = SqliteQueue(data / QUEUE), SqliteQueue(data / QUEUE)
    store, keeper = SqliteStore(data / STORE), SqliteStore(data / STORE)
    reports = FileReports(data / REPORTS)

    def close() -> None:
        for each in (queue, reader, store, keeper):
            each.close()

    return GatewayPorts(
        queue=queue,
        reader=reader,
        ledger=store.ledger,
        dead_letters=store.dead_letters,
        policies=store.policies,
        labels=keeper.labels,
        label_counts=store.labels.counts,
        changed=store.data_version,
        clock=wall_clock,
        keys=store.keys.all,
        figures=lambda: newest_figures(reports),
        close=close,
    )
