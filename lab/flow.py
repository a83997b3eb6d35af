"""A load in virtual time as a flow: requests are counted step by step instead of being carried one by one.

Thousands of histories need hours of traffic in milliseconds. What matters to a controller is kept: shares by what
each node knows, throttling by concurrency, answers by status, and slow requests in flight when a target ends.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from lab.alb import LoadBalancer, forward_weights
from lab.lambda_ import Functions
from lab.targets import Target, TargetGroup
from lab.world import Application

FAST_SECONDS = 0.01
# A request this short is over within the step that it arrives in.
INSTANT_SECONDS = 0.1


@dataclass(frozen=True)
class Answers:
    """Requests that were answered alike; ``pool`` is "" where the load balancer sent them nowhere."""

    at: float
    pool: str
    status: int
    count: int


class Arrival(NamedTuple):
    """Requests of one step that go the same way; ``group`` is None where the load balancer sends them nowhere.

    ``amount`` is what the rate asks for, ``requests`` the whole ones that it makes in this step.
    """

    group: TargetGroup | None
    seconds: float
    amount: float
    requests: int


@dataclass(frozen=True)
class Surroundings:
    """What the flow asks of the lab: whether a container answers, and to do something later."""

    answers: Callable[[str], bool]
    at: Callable[[float, Callable[[], None]], None]


@dataclass
class Flow:
    """``rate`` requests a second, until it is ``set`` anew.

    ``losses`` are the failed requests since it was last emptied, ``answered`` counts all by pool and status.
    """

    application: Application
    functions: Functions
    surroundings: Surroundings
    reached: float
    rate: float = 0.0
    losses: list[Answers] = field(default_factory=list)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    _ways: Mapping[tuple[str, float], float] = field(default_factory=dict)
    _step: float = 0.0
    _carried: dict[tuple[str, float], float] = field(default_factory=dict)
    _turn: int = 0
    _known: tuple[int, float] = (-1, 0.0)
    _amounts: dict[tuple[str, float], float] = field(default_factory=dict)

    def set(self, rate: float, mix: Sequence[tuple[str, float]], seconds: Mapping[str, float]) -> None:
        """``mix`` gives each path its share; ``seconds`` says how long a path takes where it is not fast."""
        ways: dict[tuple[str, float], float] = {}
        for path, share in mix:
            way = self._balancer.rule_for(path).arn, seconds.get(path, FAST_SECONDS)
            ways[way] = ways.get(way, 0.0) + share / sum(each for _, each in mix)
        self.rate, self._ways, self._known = rate, ways, (-1, 0.0)

    @property
    def mean_seconds(self) -> float:
        """How long a request takes on average."""
        return sum(share * seconds for (_, seconds), share in self._ways.items())

    @property
    def _balancer(self) -> LoadBalancer:
        return self.application.load_balancer

    def advance(self, now: float) -> None:
        """The requests that arrived since the last time, counted in the period in which the step began."""
        if now <= self.reached:
            return
        since, self.reached, self._step = self.reached, now, now - self.reached
        if self.rate <= 0:
            return
        arrivals = list(self._arrivals())
        self._invoke([each for each in arrivals if each.group and each.group.kind == "lambda"], since)
        for each in arrivals:
            if each.group is None:
                self._answer(each, 503, each.requests, since)
            elif each.group.kind == "ip":
                self._to_tasks(each, each.group, since)

    def _arrivals(self) -> Iterator[Arrival]:
        """By where the nodes send them, and by how long they take."""
        known = self._balancer.learnt, self._step
        if known != self._known:
            self._known, self._amounts = known, self._distributed()
        for (arn, seconds), amount in self._amounts.items():
            count = self._whole((arn, seconds), amount)
            yield Arrival(self._balancer.group(arn) if arn else None, seconds, amount, count)

    def _distributed(self) -> dict[tuple[str, float], float]:
        """What arrives in a step by target group and duration: the same until the nodes learn of other weights."""
        amounts: dict[tuple[str, float], float] = {}
        nodes = list(self._balancer.nodes.values())
        for (rule, seconds), share in self._ways.items():
            amount = self.rate * self._step * share / len(nodes)
            for node in nodes:
                for arn, part in _parts(forward_weights(node.known[rule])):
                    amounts[arn, seconds] = amounts.get((arn, seconds), 0.0) + amount * part
        return amounts

    def _whole(self, key: tuple[str, float], amount: float) -> int:
        """Whole requests; what is left of one is carried to the next step."""
        amount += self._carried.get(key, 0.0)
        self._carried[key] = amount - int(amount)
        return int(amount)

    # ---- Lambda ----

    def _invoke(self, arrivals: Sequence[Arrival], at: float) -> None:
        """Random arrivals that find every execution busy are throttled: Erlang's loss formula gives their share."""
        function = self.application.function
        limit = self.functions.limit(function)
        load = sum(each.amount * each.seconds for each in arrivals) / self._step
        blocked = erlang_b(load, limit)
        throttled = [self._whole(("throttled", each.seconds), each.requests * blocked) for each in arrivals]
        admitted = sum(each.requests for each in arrivals) - sum(throttled)
        function.count_begun(admitted, sum(throttled), min(load, limit), at)
        for each, refused in zip(arrivals, throttled, strict=True):
            self._answer(each, 502, refused, at, fault="LambdaUserError")
            self._run_invocations(each, each.requests - refused, at)

    def _run_invocations(self, arrival: Arrival, count: int, at: float) -> None:
        function = self.application.function

        def end(ended: int, when: float) -> None:
            failed = function.failures_among(ended)
            function.count_ended(failed, arrival.seconds, when, failed=True)
            function.count_ended(ended - failed, arrival.seconds, when, failed=False)
            self._answer(arrival, 502, failed, when, fault="LambdaUserError")
            self._answer(arrival, 200, ended - failed, when, seconds=arrival.seconds)

        lasting = self._lasting(count, arrival.seconds)
        end(count - lasting, at)
        if lasting:
            function.count_in_flight(lasting)

            def end_lasting() -> None:
                function.count_in_flight(-lasting)
                end(lasting, self.reached)

            self._after(arrival.seconds, end_lasting)

    # ---- tasks ----

    def _to_tasks(self, arrival: Arrival, group: TargetGroup, at: float) -> None:
        """In turn over the targets, as evenly as whole requests allow."""
        able = group.able()
        if not able:
            self._answer(arrival, 503, arrival.requests, at, unsent=True)
            return
        each, more = divmod(arrival.requests, len(able))
        self._turn += more
        for position, target in enumerate(able):
            given = each + ((position - self._turn) % len(able) < more)
            if given:
                self._to_task(arrival, target, given, at)

    def _to_task(self, arrival: Arrival, target: Target, count: int, at: float) -> None:
        target.requests += count
        lasting = self._lasting(count, arrival.seconds) if self.surroundings.answers(target.id) else 0
        self._end_on_task(arrival, target, count - lasting, at)
        if lasting:
            target.in_flight += lasting

            def end() -> None:
                target.in_flight -= lasting
                self._end_on_task(arrival, target, lasting, self.reached)

            self._after(arrival.seconds, end)

    def _end_on_task(self, arrival: Arrival, target: Target, count: int, at: float) -> None:
        """A request whose container does not answer, or ended meanwhile, is a 502 of the load balancer's."""
        lives = self.surroundings.answers(target.id)
        self._answer(arrival, 200 if lives else 502, count, at, seconds=arrival.seconds if lives else None)

    # ---- both ----

    def _lasting(self, count: int, seconds: float) -> int:
        """How many of a step's requests are in flight at its end; fast ones are not worth the bookkeeping."""
        return round(count * min(1.0, seconds / self._step)) if seconds > INSTANT_SECONDS else 0

    def _after(self, seconds: float, end: Callable[[], None]) -> None:
        """Those of a step end one after the other; the middle one stands for all."""
        self.surroundings.at(self.reached + seconds - min(self._step, seconds) / 2, end)

    def _answer(
        self,
        arrival: Arrival,
        status: int,
        count: int,
        at: float,
        *,
        seconds: float | None = None,
        fault: str = "",
        unsent: bool = False,
    ) -> None:
        if not count:
            return
        group = None if unsent else arrival.group
        self._balancer.count(group, status, at, seconds=seconds, fault=fault, requests=count)
        pool = arrival.group.pool if arrival.group else ""
        self.answered[pool, status] += count
        if status >= 400:
            self.losses.append(Answers(at, pool, status, count))


def _parts(weights: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """Each group's share of the requests; "" stands for the load balancer itself where no group has weight."""
    total = sum(weights.values())
    if not total:
        yield "", 1.0
    for arn, weight in weights.items():
        if weight:
            yield arn, weight / total


@lru_cache(maxsize=1024)
def erlang_b(load: float, servers: int) -> float:
    """The share of random arrivals that find all ``servers`` busy; ``load`` is their rate times their mean duration.

    It holds for any distribution of durations with that mean (Erlang's loss formula, M/G/c/c).
    """
    if load <= 0:
        return 0.0
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked
