"""A journal that keeps nothing: the controller's own work is what is measured."""

from __future__ import annotations

from failover.model import Action, Decision, Snapshot
from failover.ports import AwsError, Call


class Quiet:
    """Implements `failover.ports.Journal`."""

    def decided(self, decision: Decision) -> None: ...

    def called(self, call: Call) -> None: ...

    def failed(self, action: Action, error: AwsError) -> None: ...

    def read_back(self, snapshot: Snapshot) -> None: ...
