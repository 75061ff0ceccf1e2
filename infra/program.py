"""The stack: every concern, wired."""

from __future__ import annotations

from pathlib import Path

import pulumi

from infra.components.alarms import Alarms
from infra.components.api import Api
from infra.components.archive import Archive
from infra.components.dashboard import Dashboard
from infra.components.detect import Detect
from infra.components.functions import DIST, Environment, Function, packages
from infra.components.ground import Ground
from infra.components.ingest import Ingest
from infra.components.key import Key
from infra.components.place import find_place
from infra.components.schedules import Schedules
from infra.components.shapes import API, CONSUMER, REPORT, SHAPES, SWEEP, Shape
from infra.components.stage import Stage
from infra.components.store import Store
from infra.components.topics import Topics
from infra.settings import Settings

Outputs = dict[str, pulumi.Input[str]]


def stack(settings: Settings, dist: Path = DIST) -> Outputs:
    """Make everything of one stack; `dist` is where the functions' zips are."""
    zips = packages([shape.name for shape in SHAPES], dist)
    place = find_place(settings.suffix)
    ground = Ground(place=place, settings=settings, key=Key(place))
    ingest, store, archive, topics = Ingest(ground), Store(ground), Archive(ground), Topics(ground)
    told = environment(settings, ingest, store, archive, topics)

    def function(shape: Shape) -> Function:
        chosen = {name: told[name] for name in (*EVERY, *NEEDED[shape.name])}
        return Function(ground, shape, zips[shape.name], chosen, ingest)

    handler, consumer, sweep, report = (function(shape) for shape in (API, CONSUMER, SWEEP, REPORT))
    Detect(settings, ingest, consumer)
    stage = Stage(ground, Api(place, settings, handler))
    Schedules(ground, ingest, sweep, report)
    Alarms(place, settings, topics)
    return {
        "api_endpoint": stage.endpoint,
        **({"api_key_id": stage.api_key.id} if stage.api_key else {}),
        "s3_bucket_name": archive.bucket.bucket,
        "dynamodb_table_arn": store.transactions.arn,
        "state_table_arn": store.state.arn,
        "sqs_queue_url": ingest.queue.url,
        "dlq_url": ingest.dlq.url,
        "alerts_topic_arn": topics.alerts.arn,
        "dashboard_url": Dashboard(place, settings).url,
    }


EVERY = (
    "SHROFF_SUFFIX",
    "SHROFF_TRANSACTIONS_TABLE",
    "SHROFF_STATE_TABLE",
    "SHROFF_CURRENCY",
    "SHROFF_SHARDS",
    "SHROFF_RETENTION_DAYS",
    "SHROFF_LOG_LEVEL",
)
"""What every function is told."""

NEEDED = {
    "api-handler": ("SHROFF_QUEUE_URL", "SHROFF_ALERTS_TOPIC", "SHROFF_HIGH_WATER"),
    "queue-consumer": ("SHROFF_QUEUE_URL", "SHROFF_DLQ_URL", "SHROFF_ALERTS_TOPIC", "SHROFF_MAX_RECEIVES"),
    "batch-processor": (
        "SHROFF_QUEUE_URL",
        "SHROFF_DLQ_URL",
        "SHROFF_BUCKET",
        "SHROFF_ALERTS_TOPIC",
        "SHROFF_SWEEP_DELAY",
        "SHROFF_MAX_RECEIVES",
    ),
    "report-generator": ("SHROFF_BUCKET",),
}
"""What else each function is told."""


def environment(
    settings: Settings, ingest: Ingest, store: Store, archive: Archive, topics: Topics
) -> Environment:
    """Everything that a function may be told, by its name in the environment."""
    return {
        "SHROFF_SUFFIX": settings.suffix,
        "SHROFF_TRANSACTIONS_TABLE": store.transactions.name,
        "SHROFF_STATE_TABLE": store.state.name,
        "SHROFF_QUEUE_URL": ingest.queue.url,
        "SHROFF_DLQ_URL": ingest.dlq.url,
        "SHROFF_BUCKET": archive.bucket.bucket,
        "SHROFF_ALERTS_TOPIC": topics.alerts.arn,
        "SHROFF_CURRENCY": settings.currency,
        "SHROFF_SHARDS": str(settings.shards),
        # Empty keeps for ever.
        "SHROFF_RETENTION_DAYS": str(settings.retention_days or ""),
        "SHROFF_HIGH_WATER": str(settings.high_water),
        "SHROFF_SWEEP_DELAY": str(settings.sweep_delay),
        "SHROFF_MAX_RECEIVES": str(settings.max_receives),
        "SHROFF_LOG_LEVEL": settings.log_level,
    }
