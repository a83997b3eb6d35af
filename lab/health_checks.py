"""How a target group's health checks reach its targets.

Source: Application Load Balancers guide, "Health checks for target groups" and "Use Lambda functions as targets": a
function's health check is an invocation of it, with the user agent ELB-HealthChecker/2.0; it costs concurrency.
"""

from collections.abc import Callable
from functools import lru_cache

from lab.lambda_ import Functions
from lab.ports import Answer, Http
from lab.runtime.lambda_event import Incoming, InvalidAnswerError, build, parse
from lab.targets import HealthCheck, Target

USER_AGENT = "ELB-HealthChecker/2.0"

Done = Callable[[Answer], None]


class HttpChecks:
    """Checks the targets of an IP group by HTTP."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def __call__(self, target: Target, check: HealthCheck, _now: float, done: Done) -> None:
        url = f"http://{target.id}:{target.port}{check.path}"
        self._http.get(url, {"User-Agent": USER_AGENT, "Connection": "close"}, check.timeout, done)


class FunctionChecks:
    """Checks a Lambda group by invoking its function."""

    def __init__(self, functions: Functions, group_arn: str, *, multi_value: bool) -> None:
        self._functions = functions
        self._group_arn = group_arn
        self._multi_value = multi_value

    def __call__(self, target: Target, check: HealthCheck, now: float, done: Done) -> None:
        function = self._functions.find(target.id)
        environment = self._functions.begin(function, now)
        if environment is None:
            done(Answer(502, now))
            return
        fails = function.fails()

        def answered(answer: bytes | None, at: float) -> None:
            usable = function.is_usable(environment)
            function.end(environment, now, at, failed=fails or answer is None, usable=usable)
            late = at - now > check.timeout
            status = 502 if fails else _status(answer, self._multi_value)
            done(Answer(None, at, "Request timed out") if late else Answer(status, at))

        function.call(environment, _event(check.path, self._group_arn, self._multi_value), answered)


# The same question and nearly always the same answer, for hours.
@lru_cache(maxsize=16)
def _event(path: str, group_arn: str, multi_value: bool) -> bytes:  # noqa: FBT001 - it is a key
    request = Incoming("GET", path, "", [("user-agent", USER_AGENT)], b"")
    return build(request, group_arn, multi_value=multi_value)


@lru_cache(maxsize=16)
def _status(answer: bytes | None, multi_value: bool) -> int:  # noqa: FBT001 - it is a key
    """A function that failed, or that answers what a load balancer cannot read, is a 502."""
    try:
        return parse(answer or b"", multi_value=multi_value).status
    except InvalidAnswerError:
        return 502
