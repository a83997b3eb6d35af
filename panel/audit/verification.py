"""Walks the chain and finds the first entry that is not as it was written."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from panel.audit import chain
from panel.audit.models import Entry

KEY_CHANGED = "If PANEL_SECRET_KEY was changed since, name the former one's file with --former-key."


@dataclass(frozen=True)
class Verdict:
    """`sound` entries precede the first broken one, of which `problem` is a sentence; empty where all are sound."""

    sound: int
    problem: str = ""
    first: Entry | None = None
    last: Entry | None = None


def verify(keys: Sequence[str], expected: str = "") -> Verdict:
    """Judge the whole trail. `keys` are those it was written under, oldest first; an entry's key is never older than
    that of the entry before it. `expected` is a hash that must be in it.

    One query, hence one moment: entries that are added or swept meanwhile do not disturb.
    """
    walk = _Walk(list(keys))
    seen = not expected
    for entry in Entry.objects.order_by("pk").iterator(chunk_size=2000):
        if problem := walk.problem_of(entry):
            return Verdict(walk.sound, problem, walk.first, walk.last)
        seen = seen or expected in (entry.hash, entry.previous_hash)
        walk.go_on(entry)
    if problem := walk.problem_of_beginning():
        return Verdict(0, problem, walk.first, walk.last)
    lost = "" if seen else f"No entry has the hash {expected}: the trail lost its end, or was replaced."
    return Verdict(walk.sound, lost, walk.first, walk.last)


class _Walk:
    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        self.sound = 0
        self.first: Entry | None = None
        self.last: Entry | None = None
        self._checkpoint: Entry | None = None

    def problem_of(self, entry: Entry) -> str:
        if self.last is not None and entry.previous_hash != self.last.hash:
            return (
                f"Entry #{entry.pk} does not follow #{self.last.pk}: entries between them are missing, or were moved."
            )
        keys = self._keys
        while keys and not hmac.compare_digest(entry.hash, chain.digest(entry, keys[0])):
            keys = keys[1:]
        if not keys:
            return f"Entry #{entry.pk} ({entry.at:%Y-%m-%d %H:%M:%S} UTC) is not as it was written. {KEY_CHANGED}"
        self._keys = keys
        return ""

    def go_on(self, entry: Entry) -> None:
        self.sound += 1
        self.first, self.last = self.first or entry, entry
        if entry.deleted_to is not None:
            self._checkpoint = entry

    def problem_of_beginning(self) -> str:
        """Only what the newest checkpoint stands for may be missing before the first entry."""
        if self.first is None:
            return ""
        follows = self._checkpoint.after["hash"] if self._checkpoint else chain.GENESIS
        if self.first.previous_hash == follows:
            return ""
        return f"Entries before #{self.first.pk} are missing, and no checkpoint stands for them."
