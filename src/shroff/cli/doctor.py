"""`shroff doctor`: whether this installation and this data folder are well."""

from __future__ import annotations

from shroff.cli.options import HERE, Json, Place, folder, print_json


def doctor(*, place: Place = HERE, json: Json = False) -> int:
    """Check this installation and a data folder; exit 1 where something is wrong."""
    from shroff.runtimes.embedded.health import examine

    findings = list(examine(folder(place, "on AWS see the stack's dashboard, and `shroff audit`")))
    if json:
        print_json([{"check": each.check, "well": each.well, "finding": each.finding} for each in findings])
    else:
        for each in findings:
            print(f"{'ok  ' if each.well else 'BAD '} {each.check}: {each.finding}")
    return 0 if all(each.well for each in findings) else 1
