"""The clients of an application: everyday requests and, in a surge, more of them and more slow ones."""

from collections.abc import Sequence

from lab.load import Load, Record

CALM_RATE = 52
SURGE_RATE = 150
"""Requests a second, with the everyday ones."""

_QUICK = (("/bang", 1.0), ("/pong", 1.0), ("/env", 1.0))
# Slow requests take 5 s. In calm times they keep 2 to 3 executions of Lambda busy: always some that a shift could cut,
# and far enough from the alarm's threshold on a busy machine. In a surge it is 17, more than Lambda may run.
_EVERYDAY = (*_QUICK, ("/sleep", 0.03))
_SURGE = (*_QUICK, ("/sleep", 0.095))


class Clients:
    """Sends requests to one application, calm until told otherwise. Nothing is ever sent again."""

    def __init__(self, urls: Sequence[str], calm_rate: float = CALM_RATE) -> None:
        self._everyday = Load(urls, rate=calm_rate, mix=_EVERYDAY)
        self._surge = Load(urls, rate=0, mix=_SURGE)

    @property
    def records(self) -> list[Record]:
        return [*self._everyday.records, *self._surge.records]

    def start(self) -> None:
        for load in (self._everyday, self._surge):
            load.start()

    def surge(self, *, on: bool) -> None:
        self._surge.rate = SURGE_RATE - CALM_RATE if on else 0

    def forget(self) -> None:
        """Drop the records, which would otherwise grow for ever."""
        for load in (self._everyday, self._surge):
            load.records.clear()

    async def stop(self) -> None:
        """Send no more, and wait for the answers."""
        for load in (self._everyday, self._surge):
            await load.stop()
