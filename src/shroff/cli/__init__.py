"""The `shroff` command."""

from __future__ import annotations

import os
import sys

from shroff.cli.app import app
from shroff.core.errors import Rejected, Retryable


def main() -> None:
    """Run one command; what goes wrong is one plain line, never a traceback."""
    try:
        app(sys.argv[1:])
    except Rejected as error:
        for fault in error.faults:
            _say(fault.problem)
        sys.exit(1)
    except Retryable as error:
        _say(f"{error}; try again")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has had enough
        sys.exit(0)
    except KeyboardInterrupt:
        _say("interrupted; nothing accepted is lost")
        sys.exit(130)
    except Exception as error:  # a bug, told in a line; the environment says whether to show where
        if os.environ.get("SHROFF_DEBUG"):
            raise
        _say(f"this is a bug: {type(error).__name__}: {error}; SHROFF_DEBUG=1 shows where")
        sys.exit(70)


def _say(sentence: str) -> None:
    print(f"shroff: {sentence}", file=sys.stderr)
