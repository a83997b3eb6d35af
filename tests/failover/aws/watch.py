"""An account in memory swept again and again, as the panel does."""

from __future__ import annotations

from dataclasses import replace

from failover.aws.fleet import Fleet, Pace
from failover.aws.fleet.pace import CALLS_A_WINDOW
from failover.model import NOT_READ, Snapshot
from tests.failover.aws.account import NOW, Account

SWEEP_SECONDS = 5.0
FREELY = dict.fromkeys(CALLS_A_WINDOW, 100_000)


class Watch:
    """Sweeps an account every SWEEP_SECONDS and keeps what is known, part by part the newest, as the panel does."""

    def __init__(self, account: Account, pace: Pace | None = None) -> None:
        self.account, self.now = account, NOW
        self.fleet = Fleet(account.readers(), pace or Pace(FREELY, patience=0), lambda: self.now)
        self.known: dict[str, Snapshot] = {}
        self.busy: set[str] = set()

    def sweep(self, times: int = 1) -> dict[str, Snapshot]:
        """What the last sweep itself read."""
        for _ in range(times):
            self.now += SWEEP_SECONDS
            new = self.fleet.observe(self.account.applications, self.known, self.busy)
            self.known = {slug: merged(self.known.get(slug), each) for slug, each in new.items()}
        return new

    def calls(self, sweeps: int) -> list[int]:
        counts = []
        for _ in range(sweeps):
            before = self.fleet.pace.made
            self.sweep()
            counts.append(self.fleet.pace.made - before)
        return counts


def merged(known: Snapshot | None, new: Snapshot) -> Snapshot:
    parts = vars(known or Snapshot(0.0))
    kept = {name: parts[name] for name, reading in vars(new).items() if getattr(reading, "problem", "") == NOT_READ}
    return replace(new, **kept)


def fleet_of(account: Account, count: int, balancers: int = 1, **more) -> Watch:
    for number in range(count):
        account.add(number % balancers + 1, default=number < balancers, **more)
    return Watch(account)
