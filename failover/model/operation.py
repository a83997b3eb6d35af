"""What is to be done: what was asked for, how far it is, what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from failover.model.application import Goal, Split
from failover.model.snapshot import Bounds, RouteState


@dataclass(frozen=True)
class SetBounds:
    bounds: Bounds

    def __str__(self) -> str:
        return f"Autoscaling bounds become {self.bounds.minimum} to {self.bounds.maximum}"


@dataclass(frozen=True)
class SetDesiredCount:
    count: int

    def __str__(self) -> str:
        return f"Desired count becomes {self.count}"


@dataclass(frozen=True)
class SetSplit:
    """`before` is what the decision saw there; the adapter writes nothing where it finds something else."""

    route_arn: str
    split: Split
    before: Split

    def __str__(self) -> str:
        return f"Weights become {self.split} on {self.route_arn.split('/', 1)[-1]}"


Action = SetBounds | SetDesiredCount | SetSplit


class Kind(StrEnum):
    ACT = "act"
    WAIT = "wait"
    DONE = "done"
    REFUSE = "refuse"
    STOP = "stop"


@dataclass(frozen=True)
class Baseline:
    """What stood before the first write of a failover, to be restored by the failback."""

    desired: int
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Watch:
    """The guard's view of ECS between operations.

    `failing` counts the observations in a row in which it failed, the newest read at `at`. Requests from before
    `since` belong to an operation and do not count; `raised_at` is when the guard last asked for more tasks.
    `deserted_at` is when traffic last left ECS because it plainly failed, for the `desertions`th time in a row.
    """

    failing: int = 0
    at: float = 0.0
    since: float = 0.0
    raised_at: float | None = None
    deserted_at: float | None = None
    desertions: int = 0


@dataclass(frozen=True)
class Memory:
    """What an application remembers between operations.

    `duration` is Lambda's time per request (seconds) as it was before the failover; `bounds_written` are the
    autoscaling bounds that we set, so that a failback restores them only where they are still ours. `prewarmed` is the
    desired count that a prewarm asked for. `left` is each route's split as the last operation left it, at `left_at`.
    """

    baseline: Baseline | None = None
    bounds_written: Bounds | None = None
    duration: float | None = None
    failover_at: float | None = None
    failover_automatic: bool = False
    failback_at: float | None = None
    dwell_factor: int = 1
    prewarmed: int | None = None
    left: tuple[tuple[str, Split], ...] = ()
    left_at: float = 0.0
    watch: Watch = Watch()


PROGRESS_VERSION = 1  # raised when an older controller could misread what a newer one stored


@dataclass(frozen=True)
class Progress:
    """How far an operation is. Written before each write, so that a crash anywhere is resumed by deciding again.

    `allowed` lists per route the splits that it may show: what was there and what we wrote. Anything else is foreign.
    `unread_since` is when what the phase needs could first not be read and since then never was.
    `wanted` and `enough` are the tasks and healthy targets that this operation settled on. `origin` is the split to
    return to, None where routes differed; `spread` is the lowest and highest ECS percent of any route at the start.
    `evidence_since` is when the last step that passed began: requests since then speak for the pool that gains traffic.
    `returning` says why weights go back. `writing_since` is when the first write began that is not yet shown
    everywhere, `write_problem` what AWS last said against it. `marks` says when each milestone was first reached.
    """

    version: int = PROGRESS_VERSION
    phase: str = "start"
    phase_since: float = 0.0
    unread_since: float | None = None
    memory: Memory = Memory()
    wanted: int = 0
    enough: int = 0
    healthy_streak: int = 0
    agreed_streak: int = 0
    sick_streak: int = 0
    step: int = 0
    step_since: float | None = None
    evidence_since: float | None = None
    allowed: tuple[tuple[str, tuple[Split, ...]], ...] = ()
    origin: Split | None = None
    spread: tuple[float, float] | None = None
    returning: str = ""
    writing_since: float | None = None
    write_problem: str = ""
    marks: tuple[tuple[str, float], ...] = ()

    def mark(self, name: str) -> float | None:
        return dict(self.marks).get(name)

    def marked(self, name: str, now: float) -> Progress:
        """The same progress with a milestone reached; the first time counts."""
        return self if self.mark(name) is not None else replace(self, marks=(*self.marks, (name, now)))

    def entered(self, phase: str, now: float) -> Progress:
        fresh = self.written()
        return replace(fresh, phase=phase, phase_since=now, agreed_streak=0, sick_streak=0)

    def turned_back(self, reason: str, now: float) -> Progress:
        """The same progress on its way to where weights came from."""
        return replace(self.entered("going_back", now), returning=reason)

    def written(self) -> Progress:
        """The same progress once what was written is shown."""
        return replace(self, writing_since=None, write_problem="")

    def may_show(self, route: RouteState, split: Split) -> bool:
        """Whether the route's split is one that stood there or that we wrote; beside a third group's weight to the
        letter, since there the ratio of our two is not all that counts.
        """
        allowed = dict(self.allowed).get(route.arn, ())
        return any(split.is_exactly(each) for each in allowed) if route.other_weight else split in allowed


@dataclass(frozen=True)
class Request:
    """What an operation was asked for. `split` goes with set_weights; `override` names rules, with a reason.

    set_weights without a split leaves the weights where they are and only has tasks started (a prewarm, the guard).
    One that `rehearses` also waits until they are healthy, and makes way for an alarm.
    """

    goal: Goal
    split: Split | None = None
    automatic: bool = False
    override: frozenset[str] = frozenset()
    rehearses: bool = False

    @property
    def prepares(self) -> bool:
        return self.goal is Goal.SET_WEIGHTS and self.split is None


@dataclass(frozen=True)
class Decision:
    """The outcome of one cycle.

    `headline` is one stable line (journaled when it changes), `detail` the moving figures beside it.
    `wait` says in how many seconds to step again; `rule` names what refused or stopped; `remedy` what clears it.
    """

    kind: Kind
    headline: str
    progress: Progress
    detail: str = ""
    actions: tuple[Action, ...] = ()
    wait: float = 2.0
    rule: str = ""
    remedy: str = ""

    @property
    def told(self) -> str:
        """Headline and detail in one line."""
        return ": ".join(filter(None, (self.headline, self.detail)))

    @property
    def sentences(self) -> str:
        """Headline, detail and remedy, each a sentence."""
        parts = (part.strip().rstrip(".") for part in (self.headline, self.detail, self.remedy))
        return " ".join(f"{part}." for part in parts if part)
