"""How often a service whose tasks do not start is tried again.

Source: ECS Developer Guide, "Amazon ECS service throttle logic": tasks that go from PENDING to STOPPED without having
been RUNNING, or that find no resources, make the time between attempts grow, on AWS up to 27 minutes; a new deployment
ends it at once. AWS gives no other figures: the lab, in which tasks start in seconds instead of minutes, begins after
three and doubles up to 27 s. A function whose environments do not start is tried in the same way.
"""

from dataclasses import dataclass

TOLERATED_FAILURES = 3
LONGEST_SECONDS = 27.0


@dataclass
class StartThrottle:
    failures: int = 0
    _until: float = 0.0

    @property
    def impaired(self) -> bool:
        return self.failures >= TOLERATED_FAILURES

    def allows(self, now: float) -> bool:
        return now >= self._until

    def failed(self, now: float) -> None:
        self.failures += 1
        if self.impaired:
            self._until = now + min(2.0 ** (self.failures - TOLERATED_FAILURES), LONGEST_SECONDS)

    def reset(self) -> None:
        self.failures, self._until = 0, 0.0
