"""Shroff beside FastAPI, Redis and PostgreSQL, end to end: what is posted by wrk, durable and decided.

python -m benchmarks.peers.against_fastapi [--python PYTHON] [--seconds 20] [--connections 64] [--json]

PYTHON has fastapi, uvicorn, redis and psycopg; redis-server, initdb, postgres and wrk are on the path. What
is not there is said, and then only Shroff runs. Both begin with the same 30 days of history, so that windows
have something in them. Posts come as fast as they are taken; counted is what is decided while they come, and
after that how fast the rest is decided with the machine to itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection, socket
from tempfile import TemporaryDirectory

STACK = Path(__file__).parent / "fastapi_stack.py"
CUSTOMERS, MERCHANTS = 2_000, 500
STEP, START, HISTORY, WARMED = 5, 1_700_000_000, 30 * 86_400 // 5, 50_000
"""Seconds between transactions, so that a customer has some in every window; when the first is posted; how
many came before it; the number of the first that counts."""
LUA = """
local counter = %d
function request()
  counter = counter + 1
  local body = string.format('{"transaction_id": "txn-%%d", "amount": %%d.99, "timestamp": %%d, ' ..
    '"customer_id": "cust-%%04d", "merchant": "shop-%%03d"}', counter, 5 + counter %% 120,
    %d + counter * %d, counter * 7919 %% %d, counter * 104729 %% %d)
  return wrk.format("POST", "/transactions", {["Content-Type"] = "application/json"}, body)
end
"""
Count = Callable[[], int]


def posting(place: Path, first: int) -> Path:
    """What wrk is to post from a number on."""
    script = place / f"post-{first}.lua"
    script.write_text(LUA % (first, START, STEP, CUSTOMERS, MERCHANTS), "utf-8")
    return script


def history(path: Path) -> Path:
    """A CSV file of what came before."""
    with path.open("w") as file:
        file.write("transaction_id,timestamp,amount,customer_id,merchant\n")
        for at in range(HISTORY):
            when, amount = START - (HISTORY - at) * STEP, 5 + at % 120
            customer, merchant = at * 7919 % CUSTOMERS, at * 104729 % MERCHANTS
            file.write(f"old-{at},{when},{amount}.99,cust-{customer:04d},shop-{merchant:03d}\n")
    return path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def started(*command: str, user: str | None = None) -> Iterator[None]:
    """A process while it is needed."""
    process = subprocess.Popen(command, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def reached(port: int, seconds: float = 20) -> None:
    """Wait until somebody listens. Raises OSError where nobody comes."""
    until = time.monotonic() + seconds
    while True:
        try:
            create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@contextmanager
def shroff(folder: Path, past: Path, _python: str) -> Iterator[tuple[int, Count]]:
    """Shroff as `shroff serve` starts it, with the default policy."""
    port = free_port()
    (folder / "settings.toml").write_text("high_water = 1000000000\nlog_alerts = false\n", "utf-8")
    loading = [sys.executable, "-m", "shroff", "import", str(past), "--data", str(folder)]
    subprocess.run(loading, check=True, capture_output=True)
    command = [sys.executable, "-m", "shroff", "serve", "--data", str(folder), "--port", str(port)]
    with started(*command):
        reached(port)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready").close()
                break
            except OSError:
                time.sleep(0.1)
        store = sqlite3.connect(folder / "store.db")
        yield port, lambda: store.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0]
        store.close()


@contextmanager
def fastapi(folder: Path, past: Path, python: str) -> Iterator[tuple[int, Count]]:
    """The peer, its servers in the folder: each on the disk where Shroff's files are."""
    redis, http, postgres = free_port(), free_port(), free_port()
    owner = "postgres" if os.geteuid() == 0 else None
    folder.chmod(0o755)
    base, url = folder / "postgres", f"postgresql://peer@127.0.0.1:{postgres}/postgres"
    base.mkdir()
    if owner:
        shutil.chown(base, owner)
    initdb = ["initdb", "-D", str(base), "-U", "peer", "-A", "trust"]
    subprocess.run(initdb, check=True, user=owner, capture_output=True)
    with ExitStack() as stack:
        tuned = ("-c", "shared_buffers=1GB", "-c", f"unix_socket_directories={base}")
        stack.enter_context(started("postgres", "-D", str(base), "-p", str(postgres), *tuned, user=owner))
        durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(folder))
        stack.enter_context(started("redis-server", "--port", str(redis), *durable))
        reached(postgres)
        reached(redis)
        time.sleep(1)
        _sql(python, url, f"import fastapi_stack; fastapi_stack.load(c, {str(past)!r})")
        stack.enter_context(started(python, str(STACK), "api", str(redis), str(http)))
        stack.enter_context(started(python, str(STACK), "worker", str(redis), url))
        reached(http)
        yield (
            http,
            lambda: int(
                _sql(python, url, "print(c.execute('SELECT count(*) FROM transactions').fetchone()[0])")
            ),
        )


def _sql(python: str, url: str, code: str) -> str:
    found = f"import sys, psycopg; sys.path.insert(0, {str(STACK.parent)!r})"
    whole = f"{found}; c = psycopg.connect({url!r}); {code}"
    return subprocess.run([python, "-c", whole], check=True, capture_output=True, text=True).stdout


def missing(python: str) -> list[str]:
    """What the peer needs and is not here."""
    programs = [name for name in ("redis-server", "initdb", "postgres") if shutil.which(name) is None]
    probe = "import fastapi, uvicorn, redis, psycopg"
    found = subprocess.run([python, "-c", probe], check=False, capture_output=True).returncode
    return programs + ([f"fastapi, uvicorn, redis and psycopg for {python}"] if found else [])


def driven(port: int, decided: Count, place: Path, seconds: int, connections: int) -> dict[str, float]:
    """Accepted and decided a second while wrk posts; decided a second of what was left then, for as long."""
    wrk, address = ["wrk", "-t1", f"-c{connections}"], f"http://127.0.0.1:{port}"
    warm = [*wrk, "-s", str(posting(place, 0)), "-d3", address]
    subprocess.run(warm, check=True, capture_output=True)
    counts = [*wrk, "-s", str(posting(place, WARMED)), f"-d{seconds}", address]
    before, begun = decided(), time.monotonic()
    run = subprocess.run(counts, check=True, capture_output=True, text=True)
    during, ended = decided(), time.monotonic()
    if "Non-2xx" in run.stdout:
        raise RuntimeError(f"not all was accepted: {run.stdout}")
    posted = next(float(line.split()[1]) for line in run.stdout.splitlines() if "Requests/sec" in line)
    time.sleep(min(seconds, 10))
    after, last = decided(), time.monotonic()
    return {
        "accepted_per_s": round(posted),
        "decided_per_s_under_load": round((during - before) / (ended - begun)),
        "decided_per_s_after": round((after - during) / (last - ended)),
    }


def main() -> None:
    """Print both and by how much they differ."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--python", default=sys.executable)
    asked.add_argument("--seconds", type=int, default=20)
    asked.add_argument("--connections", type=int, default=64)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    told: dict[str, object] = {"machine": platform.platform(), "python": platform.python_version()}
    lacking = missing(given.python)
    for name, system in (("shroff", shroff), ("fastapi", fastapi)):
        if name == "fastapi" and lacking:
            told[name] = f"left out: it needs {', '.join(lacking)}"
            continue
        with TemporaryDirectory() as place:
            past = history(Path(place) / "history.csv")
            folder = Path(place) / "data"
            folder.mkdir()
            Path(place).chmod(0o755)
            with system(folder, past, given.python) as (port, decided):
                told[name] = driven(port, decided, Path(place), given.seconds, given.connections)
    if given.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return
    for name, figures in told.items():
        sys.stdout.write(f"{name}: {figures}\n")


if __name__ == "__main__":
    main()
