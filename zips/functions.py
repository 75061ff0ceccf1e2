"""The functions of the stack, and what of the third parties' files none of them reads."""

from __future__ import annotations

from fnmatch import fnmatch

HANDLERS = {
    "api-handler": "shroff.runtimes.lambdas.api",
    "queue-consumer": "shroff.runtimes.lambdas.consumer",
    "batch-processor": "shroff.runtimes.lambdas.sweep",
    "report-generator": "shroff.runtimes.lambdas.report",
}
"""Each function, and the module with its `handler`."""

SERVICES = ("dynamodb", "lambda", "s3", "sns", "sqs")
"""The services that a function calls: botocore has descriptions of 400, and only these are packed."""

ABSENT = frozenset({"numba"})
"""What the code does without where it is not installed: no zip has it."""

_UNREAD = (
    "*.pyi",
    "*.pxd",
    "*.[ach]",
    "*/py.typed",
    "*/tests/*",
    "*/conftest.py",
    "boto3/examples/*",
    "numpy/_core/include/*",
    "numpy/_core/lib/*",
    "numpy/_pyinstaller/*",
    "numpy/distutils/*",
    "numpy/doc/*",
    "numpy/f2py/*",
)
"""For compilers, type checkers and test runners."""

_KEPT_OF_DIST_INFO = ("METADATA", "LICEN*", "licenses/*", "COPYING*", "NOTICE*", "AUTHORS*")
"""A licence wants to travel with the code; the rest is for installers."""


def wanted(name: str) -> bool:
    """Whether a file of a wheel goes into the zips."""
    room, _, rest = name.partition("/")
    if room.endswith(".dist-info"):
        return any(fnmatch(rest, pattern) for pattern in _KEPT_OF_DIST_INFO)
    if room.endswith(".data") or any(fnmatch(name, pattern) for pattern in _UNREAD):
        return False
    return _described(name)


def _described(name: str) -> bool:
    room, data, rest = name.partition("/data/")
    if not data or room not in {"boto3", "botocore"}:
        return True
    return "/" not in rest or rest.split("/")[0] in SERVICES
