"""What every concern stands on: where it is, what it is told, and the key."""

from __future__ import annotations

from dataclasses import dataclass

from infra.components.key import Key
from infra.components.place import Place
from infra.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Place, settings and key of one stack."""

    place: Place
    settings: Settings
    key: Key
