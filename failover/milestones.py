"""An operation's way, as the operator sees it: what is done, what runs, what comes next, and how long each took."""

from __future__ import annotations

from dataclasses import dataclass

from failover.model import Goal, Policy, Progress, Request

# When a milestone's mark is reached, the part named here took from the first mark to the second.
_PARTS = {
    "decision_to_healthy": ("started", "healthy"),
    "healthy_to_weights": ("healthy", "shifting"),
    "weights_to_verified": ("shifting", "verified"),
    "verified_to_baked": ("verified", "baked"),
    "baked_to_scaled_in": ("baked", "scaled_in"),
    "total": ("started", "ended"),
}


@dataclass(frozen=True)
class Milestone:
    """`state` is done, now, next or failed; `seconds` is how long it took or has run."""

    title: str
    state: str
    seconds: float | None = None


def seconds(progress: Progress) -> dict[str, float]:
    """Measured durations by part; only parts whose both ends were reached."""
    marks = dict(progress.marks)
    return {
        name: round(marks[last] - marks[first], 3)
        for name, (first, last) in _PARTS.items()
        if first in marks and last in marks
    }


def _titles(request: Request, policy: Policy, progress: Progress) -> tuple[tuple[str, str], ...]:
    """(mark that completes it, title), in order."""
    wanted = progress.wanted or max(policy.failover_count, policy.min_healthy)
    enough = progress.enough or policy.min_healthy
    if request.goal is Goal.FAILBACK:
        via = " → ".join(str(100 - percent) for percent in policy.failback_steps)
        return (
            ("verified", f"Weights to Lambda, {via} %, read back"),
            ("baked", f"Keep the tasks for {policy.bake_seconds:.0f} s"),
            ("drained", "ECS gets no more traffic"),
            ("scaled_in", "Scale ECS in"),
        )
    if request.rehearses:
        return (
            ("asked", f"Ask ECS for {wanted} tasks"),
            ("healthy", f"{enough} targets healthy, {policy.healthy_checks} times in a row"),
            ("ended", "Weights stay as they are"),
        )
    if request.prepares:
        return (("asked", f"Ask ECS for {wanted} tasks"), ("ended", "Weights stay as they are"))
    target = "ECS, " + " → ".join(map(str, policy.shift_steps)) + " %"
    if request.split is not None:
        target = str(request.split)
    prepare = (
        ("asked", f"Ask ECS for {wanted} tasks"),
        ("healthy", f"{enough} targets healthy, {policy.healthy_checks} times in a row"),
    )
    # Weights that only fall on ECS need no tasks started first.
    needed = () if request.goal is Goal.SET_WEIGHTS and progress.mark("shifting") and not progress.wanted else prepare
    return (
        *needed,
        ("verified", f"Weights to {target}, read back"),
        ("ended", f"Settle {policy.settle_seconds:.0f} s, traffic agrees"),
    )


def milestones(
    request: Request, policy: Policy, progress: Progress, now: float, *, ended: str = ""
) -> tuple[Milestone, ...]:
    """`ended` is empty while the operation runs, else "done" or "failed"."""
    found: list[Milestone] = []
    previous = progress.mark("started")
    open_state = {"": "now", "done": "done", "failed": "failed"}[ended]
    for mark, title in _titles(request, policy, progress):
        at = progress.mark(mark) if not (mark == "ended" and ended == "failed") else None
        if at is not None:
            found.append(Milestone(title, "done", at - previous if previous is not None else None))
            previous = at
        else:
            running = open_state == "now" and previous is not None
            found.append(Milestone(title, open_state, now - previous if running and previous else None))
            open_state = "next"
    return tuple(found)
