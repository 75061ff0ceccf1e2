"""From a posted transaction to its stored decision, by `shroff serve` with the default policy and 300 trees.

python -m benchmarks.end_to_end [--seconds 60] [--repeat 3] [--json]

wrk posts as fast as it is answered, spread and all of one customer at one merchant; then an open loop offers
1,000, 2,000 and 5,000 requests a second.
Counted is what is accepted, decided and stored, from the first post until the last decision; the audit of the
folder is part of each run, and fails it where anything is lost.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.served import (
    Server,
    asked,
    folder,
    made_hot,
    offered,
    percentiles,
    prepare,
    serving,
    show,
    shroff,
    spread,
    tails,
)

OFFERED = (1_000, 2_000, 5_000)
CONNECTIONS = 64
_WARM, _IDLE = 3, 3.0

# One thread, which is enough for what two cores take. Ids count on from the nanosecond at which it began.
_LUA = """
local rows, counter, began = {}, 0, "%s"
function init()
  for row in io.lines("%s") do rows[#rows + 1] = row end
end
function request()
  counter = counter + 1
  local body = string.format('{"transaction_id":"%%s-%%07d","timestamp":%%d,', began, counter, os.time())
    .. rows[(counter - 1) %% #rows + 1]
  return "POST /transactions HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Type: application/json\\r\\n"
    .. "Content-Length: " .. #body .. "\\r\\n\\r\\n" .. body
end
function done(summary, latency)
  io.write(string.format("FIGURES %%d %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write +
    summary.errors.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""
_FIGURES = re.compile(r"^FIGURES ([\d ]+)$", re.MULTILINE)


def posted(server: Server, rows: Path, seconds: int) -> dict[str, float]:
    """What wrk met, closed loop: answers, refusals, and latencies in milliseconds."""
    script = rows.with_name("post.lua")
    script.write_text(_LUA % (time.time_ns(), rows))
    address = f"http://127.0.0.1:{server.port}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), address]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = _FIGURES.search(said)
    if found is None:
        raise RuntimeError(f"wrk said nothing that is understood:\n{said}")
    answered, micros, refused, broken, *latencies = map(int, found[1].split())
    names = ("accept_p50_ms", "accept_p99_ms", "accept_p999_ms")
    return {
        "wrk_s": micros / 1e6,
        "refused": refused,
        "broken": broken,
        "requests_per_s": round((answered - refused) / micros * 1e6, 1),
        **{name: each / 1e3 for name, each in zip(names, latencies, strict=True)},
    }


def sustained(rows: Path, seconds: int, place: Path) -> dict[str, float]:
    """As fast as it goes: wrk, then the wait for the last decision, then the audit."""
    prepare(place / "data")
    with serving(place / "data") as server:
        time.sleep(_IDLE)
        idle = server.memory_mb()
        posted(server, rows, _WARM)
        server.drain()
        before, spent, written = server.accepted(), server.cpu_s(), server.written_bytes()
        began = time.monotonic()
        told = posted(server, rows, seconds)
        at_end = server.accepted() - server.decided()
        server.drain()
        took = time.monotonic() - began
        many = server.accepted() - before
        memory, used = server.memory_mb(), server.cpu_us(spent, many)
        lags = percentiles(server.lags_ms(before))
        audited = server.audit()
        size = sum(file.stat().st_size for file in server.data.rglob("*") if file.is_file())
        wrote = server.written_bytes() - written
    return {
        "decided_and_stored_per_s": round(many / took, 1),
        **told,
        "undecided_when_wrk_ended": at_end,
        **{f"lag_{name}": lag for name, lag in lags.items()},
        **used,
        "folder_bytes_per_transaction": round(size / audited["accepted"]),
        "written_bytes_per_transaction": round(wrote / many),
        "memory_mb": memory,
        "idle_memory_mb": idle,
        "start_to_ready_s": server.ready_s,
        "audited": audited["decided"],
    }


def at_rate(rows: Path, rate: int, seconds: int, place: Path) -> dict[str, float]:
    """An open loop at one rate: accept latency from when each was due, lag, and the audit."""
    prepare(place / "data")
    with serving(place / "data") as server:
        told = offered(server, rows, "/transactions", rate, seconds)
        server.drain()
        lags = percentiles(server.lags_ms(_WARM * rate))
        audited = server.audit()
    return {**told, **{f"lag_{name}": lag for name, lag in lags.items()}, "audited": audited["decided"]}


def help_s() -> float:
    """Of `shroff --help`, the best of five."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        shroff("--help")
        times.append(time.monotonic() - began)
    return round(min(times), 3)


def main() -> None:
    """Print the figures, as a table or as JSON."""
    given = asked(__doc__, seconds=60, repeat=3)
    if shutil.which("wrk") is None:
        sys.exit("wrk, the load generator, is missing; on Debian and Ubuntu: apt-get install wrk")
    runs: dict[str, list[dict[str, float]]] = {}
    with folder() as kept:
        rows = Path(kept) / "rows"
        tails(rows)
        closed = {"sustained": rows, "sustained, one customer, one merchant": made_hot(rows)}
        for _ in range(given.repeat):
            for part, source in closed.items():
                with folder() as place:
                    runs.setdefault(part, []).append(sustained(source, given.seconds, Path(place)))
            for rate in OFFERED:
                with folder() as place:
                    met = at_rate(rows, rate, given.seconds, Path(place))
                runs.setdefault(f"offered {rate:,}/s", []).append(met)
    runs["command"] = [{"help_s": help_s()}]
    show({part: spread(of) for part, of in runs.items()}, as_json=given.json)


if __name__ == "__main__":
    main()
