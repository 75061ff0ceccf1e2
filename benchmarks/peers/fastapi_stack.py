"""The usual stack: FastAPI on uvicorn, a Redis stream, a worker that decides with SQL windows in PostgreSQL.

python benchmarks/peers/fastapi_stack.py api REDIS_PORT HTTP_PORT
python benchmarks/peers/fastapi_stack.py worker REDIS_PORT POSTGRES_URL

Accepted is what Redis has on disk (`appendfsync always`), decided is what PostgreSQL has committed. The
worker takes 100 together, in one transaction; its statements are prepared, both its windows have an index.
"""

from __future__ import annotations

import csv
import json
import sys
from contextlib import suppress
from typing import Any

STREAM, GROUP, TOGETHER = "transactions", "workers", 100
SCHEMA = """
CREATE TABLE transactions (
    transaction_id text PRIMARY KEY, occurred_at double precision NOT NULL, amount double precision NOT NULL,
    customer_id text, merchant text,
    outcome text NOT NULL, score double precision NOT NULL, reasons jsonb NOT NULL
);
CREATE INDEX by_customer ON transactions (customer_id, occurred_at);
CREATE INDEX by_merchant ON transactions (merchant, occurred_at);
"""
FEATURES = """
SELECT c.*, m.*, p.* FROM
(SELECT count(*) FILTER (WHERE occurred_at > %(at)s - 300) AS c_5m,
        count(*) FILTER (WHERE occurred_at > %(at)s - 3600) AS c_1h,
        count(*) FILTER (WHERE occurred_at > %(at)s - 86400) AS c_1d,
        count(*) FILTER (WHERE occurred_at > %(at)s - 604800) AS c_7d, count(*) AS c_30d,
        coalesce(sum(amount) FILTER (WHERE occurred_at > %(at)s - 3600), 0) AS sum_1h,
        coalesce(sum(amount) FILTER (WHERE occurred_at > %(at)s - 86400), 0) AS sum_1d,
        coalesce(sum(amount) FILTER (WHERE occurred_at > %(at)s - 604800), 0) AS sum_7d,
        avg(amount) AS mean_30d, stddev_samp(amount) AS std_30d,
        max(amount) FILTER (WHERE occurred_at > %(at)s - 604800) AS max_7d, max(amount) AS max_30d,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median_30d,
        %(at)s - max(occurred_at) AS since_last_30d,
        count(DISTINCT merchant) FILTER (WHERE occurred_at > %(at)s - 3600) AS merchants_1h
 FROM transactions WHERE customer_id = %(customer)s AND occurred_at BETWEEN %(at)s - 2592000 AND %(at)s) c,
(SELECT count(*) FILTER (WHERE occurred_at > %(at)s - 3600) AS m_1h,
        count(*) FILTER (WHERE occurred_at > %(at)s - 86400) AS m_1d,
        count(*) FILTER (WHERE occurred_at > %(at)s - 604800) AS m_7d, count(*) AS m_30d,
        avg(amount) AS m_mean_30d,
        coalesce(sum(amount) FILTER (WHERE occurred_at > %(at)s - 86400), 0) AS m_sum_1d,
        count(DISTINCT customer_id) FILTER (WHERE occurred_at > %(at)s - 3600) AS customers_1h,
        count(DISTINCT customer_id) FILTER (WHERE occurred_at > %(at)s - 86400) AS customers_1d
 FROM transactions WHERE merchant = %(merchant)s AND occurred_at BETWEEN %(at)s - 2592000 AND %(at)s) m,
(SELECT count(*) AS pair_90d FROM transactions
 WHERE customer_id = %(customer)s AND merchant = %(merchant)s
   AND occurred_at BETWEEN %(at)s - 7776000 AND %(at)s) p
"""
"""The windows of the default policy's customer, merchant and pair that SQL says in a line each."""
INSERT = """
INSERT INTO transactions VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
OUTCOMES = ("approve", "challenge", "review", "decline")
RULES = [
    ("velocity_minutes", "c_5m >= 5", 2, 0.6), ("velocity_hour", "c_1h >= 10", 2, 0.6),
    ("spend_day", "c_30d >= 5 and sum_1d + amount > 25 * mean_30d and sum_1d + amount > 5000", 2, 0.5),
    ("above_habit", "c_30d >= 5 and amount > 100 and amount > mean_30d + 5 * (std_30d or 0)", 1, 0.3),
    ("many_merchants", "merchants_1h >= 7", 2, 0.5),
    ("rush", "customers_1d >= 5000 and amount > 3 * m_mean_30d", 2, 0.5),
    *((f"large_{at}", f"amount > {at * 1000} and c_7d < {at}", 1, 0.2) for at in range(6, 30)),
]  # fmt: skip
"""Thirty, as the default policy has."""


def load(connection: Any, past: str) -> None:
    """Make the table and fill it: transaction_id, timestamp, amount, customer_id, merchant."""
    connection.execute(SCHEMA)
    with (
        open(past, newline="") as file,  # noqa: PTH123  # as a script would
        connection.cursor().copy("COPY transactions FROM STDIN") as copy,
    ):
        for row in csv.DictReader(file):
            copy.write_row((*row.values(), "approve", 0.0, "[]"))
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE transactions")


def api(redis_port: int, http_port: int) -> None:
    """Accept until ended."""
    import uvicorn  # noqa: PLC0415  # the driver reads this file without them
    from fastapi import FastAPI  # noqa: PLC0415
    from pydantic import BaseModel, Field  # noqa: PLC0415
    from redis.asyncio import Redis  # noqa: PLC0415

    class Posted(BaseModel):
        transaction_id: str = Field(min_length=1, max_length=128)
        amount: float = Field(gt=0)
        timestamp: float
        customer_id: str | None = None
        merchant: str | None = None

    globals()["Posted"] = Posted  # where FastAPI looks for what an annotation names
    app, redis = FastAPI(), Redis(port=redis_port)

    @app.post("/transactions", status_code=202)  # type: ignore[untyped-decorator]
    async def accept(posted: Posted) -> dict[str, str]:
        number = await redis.xadd(STREAM, {"body": posted.model_dump_json()})
        told = "Transaction accepted for processing"
        return {"message": told, "transaction_id": posted.transaction_id, "message_id": number.decode()}

    uvicorn.run(app, host="127.0.0.1", port=http_port, log_level="warning", access_log=False)


def worker(redis_port: int, url: str) -> None:
    """Decide until ended."""
    import psycopg  # noqa: PLC0415
    from redis import Redis, ResponseError  # noqa: PLC0415

    redis, rules = Redis(port=redis_port), [(*each, compile(each[1], each[0], "eval")) for each in RULES]
    with suppress(ResponseError):  # it is there
        redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    with psycopg.connect(url, prepare_threshold=1) as connection:
        while True:
            found: Any = redis.xreadgroup(GROUP, "one", {STREAM: ">"}, count=TOGETHER, block=1000)
            entries = found[0][1] if found else []
            for _, members in entries:
                _decide(connection, json.loads(members[b"body"]), rules)
            connection.commit()
            if entries:
                redis.xack(STREAM, GROUP, *(number for number, _ in entries))


def _decide(connection: Any, posted: dict[str, Any], rules: list[tuple[str, str, int, float, Any]]) -> None:
    asked = {"at": posted["timestamp"], "customer": posted["customer_id"], "merchant": posted["merchant"]}
    cursor = connection.execute(FEATURES, asked)
    row = cursor.fetchone()
    names = {column.name: value for column, value in zip(cursor.description, row, strict=True)}
    names["amount"] = posted["amount"]
    hits = [(name, outcome, score) for name, _, outcome, score, code in rules if eval(code, {}, names)]
    outcome, kept = max((each[1] for each in hits), default=0), 1.0
    for _, _, score in hits:
        kept *= 1 - score
    cells = (posted["transaction_id"], posted["timestamp"], posted["amount"], posted["customer_id"])
    reasons = json.dumps([name for name, _, _ in hits])
    connection.execute(INSERT, (*cells, posted["merchant"], OUTCOMES[outcome], 1 - kept, reasons))


if __name__ == "__main__":
    if sys.argv[1] == "api":
        api(int(sys.argv[2]), int(sys.argv[3]))
    else:
        worker(int(sys.argv[2]), sys.argv[3])
