"""The names of the features in a stored decision, which its policy knows."""

from __future__ import annotations

from shroff.flows.lookup import snapshot_names
from shroff.ports import Policies


class SnapshotNames:
    """Names by policy version, each policy read once; asked on the reader's thread."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, version: str) -> tuple[str, ...]:
        """The names in the order of the snapshot's values."""
        names = self._known.get(version)
        if names is None:
            names = self._known[version] = snapshot_names(self._policies, version)
        return names
