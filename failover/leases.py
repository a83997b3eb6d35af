"""How one writer follows another: the protocol of every lease, whatever it is kept in.

A lease is taken, renewed and given back by compare-and-set on a version, so of two that saw the same state one fails,
and whoever lost it can change nothing any more. It lasts LEASE_SECONDS from before it was stored. Given back, it is
free at once. Not given back, it is free a whole lease length after it ran out: by then whoever held it has long given
up its last write (`failover.rules.WRITE_SECONDS`, and no write begins with less of the lease left), even where clocks
differ by as much. The next holder reads AWS before it decides.

    holder   |take ─────── last begin of a write ─ time-out ─┤
    lease    |───────────────────────────────────────────────|────────── one lease length ──────────|free
    next                                                                                            |take, read, decide
"""

from __future__ import annotations

LEASE_SECONDS = 20.0


class Unshared:
    """Implements `failover.ports.Lease` where nobody else can be writing, or a person said that nobody is."""

    def seconds_left(self) -> float:
        return LEASE_SECONDS


def free_in(until: float | None, now: float) -> float:
    """In how many seconds another may take a lease that lasts `until`; None where it was given back."""
    return 0.0 if until is None else max(0.0, until + LEASE_SECONDS - now)
