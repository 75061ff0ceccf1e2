"""`POST /decisions` at 500, 1,000 and 2,000 requests a second offered: how soon the decision is answered.

python -m benchmarks.decisions [--seconds 60] [--repeat 3] [--json]

An open loop with latencies from when each request was due; `answered_200` had the decision in the answer,
`answered_202` was accepted and is decided later. Default policy, a promoted model of 300 trees.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.served import asked, folder, offered, prepare, serving, show, spread, tails

OFFERED = (500, 1_000, 2_000)


def at_rate(rows: Path, rate: int, seconds: int, place: Path) -> dict[str, float]:
    """One rate on a fresh folder, audited."""
    prepare(place / "data")
    with serving(place / "data") as server:
        told = offered(server, rows, "/decisions", rate, seconds)
        server.drain()
        return {**told, "audited": server.audit()["decided"]}


def main() -> None:
    """Print the figures, as a table or as JSON."""
    given = asked(__doc__, seconds=60, repeat=3)
    runs: dict[str, list[dict[str, float]]] = {}
    with folder() as kept:
        rows = Path(kept) / "rows"
        tails(rows)
        for _ in range(given.repeat):
            for rate in OFFERED:
                with folder() as place:
                    met = at_rate(rows, rate, given.seconds, Path(place))
                runs.setdefault(f"offered {rate:,}/s", []).append(met)
    show({part: spread(of) for part, of in runs.items()}, as_json=given.json)


if __name__ == "__main__":
    main()
