"""An open-loop HTTP load: arrivals at a steady rate, whatever the answers do. Bounded in time by whoever starts it."""

import argparse
import asyncio
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

# 98 % fast requests and 2 % of five seconds: 52 a second keep about 5.5 executions busy, 150 a second about 16.
DEFAULT_MIX: tuple[tuple[str, float], ...] = (("/bang", 0.33), ("/pong", 0.33), ("/env", 0.32), ("/sleep", 0.02))
TIMEOUT_SECONDS = 35.0
MOST_RATE = 1000.0  # requests a second: more than one process of clients can send
REPORT_SECONDS = 5.0


@dataclass(frozen=True)
class Record:
    """One request; times in epoch seconds, ``status`` 0 and ``error`` set where no answer came."""

    started: float
    ended: float
    path: str
    status: int
    pool: str
    node: str
    error: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 400


class Load:
    """Requests at ``rate`` a second over ``urls`` in turn; set ``rate`` at any time.

    ``mix`` gives each path its share; the order is fixed, so a share of 0.02 is every 50th request. There are no
    retries, and every request has a connection of its own, so that no failure is an artefact of a reused one.
    """

    def __init__(self, urls: Sequence[str], *, rate: float, mix: Sequence[tuple[str, float]] = DEFAULT_MIX) -> None:
        self.rate = rate
        self.records: list[Record] = []
        self._urls = itertools.cycle(urls)
        self._paths = interleave(mix)
        self._requests: set[asyncio.Task[None]] = set()
        self._arrivals: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def in_flight(self) -> int:
        return len(self._requests)

    def start(self) -> None:
        """Begins inside the running event loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )
        self._arrivals = asyncio.get_running_loop().create_task(self._arrive(self._session))

    async def stop(self) -> None:
        """Ends the arrivals and waits for the requests in flight."""
        if self._arrivals is None or self._session is None:
            return
        self._arrivals.cancel()
        await asyncio.gather(self._arrivals, return_exceptions=True)
        await asyncio.gather(*self._requests)
        await self._session.close()

    async def _arrive(self, session: aiohttp.ClientSession) -> None:
        """A late wake-up is made up for, so that the rate holds on a busy machine."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self.rate <= 0:
                await asyncio.sleep(0.05)
                due = loop.time()
                continue
            await asyncio.sleep(max(0.0, due - loop.time()))
            request = loop.create_task(self._request(session, next(self._urls), next(self._paths)))
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)
            due += 1 / self.rate

    async def _request(self, session: aiohttp.ClientSession, url: str, path: str) -> None:
        started = time.time()
        status, pool, node, error = 0, "", "", ""
        try:
            async with session.get(url + path, allow_redirects=False) as response:
                await response.read()
                status = response.status
                pool, node = response.headers.get("X-Lab-Pool", ""), response.headers.get("X-Lab-Node", "")
        except TimeoutError:
            error = f"no answer within {TIMEOUT_SECONDS:g} s"
        except aiohttp.ClientError as failure:
            error = str(failure) or type(failure).__name__
        self.records.append(Record(started, time.time(), path, status, pool, node, error))


def interleave(mix: Sequence[tuple[str, float]]) -> Iterator[str]:
    """Paths for ever, each as evenly spread as its share allows; always the same order."""
    total = sum(share for _, share in mix)
    credit = dict.fromkeys((path for path, _ in mix), 0.0)
    while True:
        for path, share in mix:
            credit[path] += share / total
        path = max(credit, key=lambda each: credit[each])
        credit[path] -= 1
        yield path


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Of durations in seconds; 0 where there are none."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] if ordered else 0.0


def summarise(records: Sequence[Record]) -> str:
    """One line: how many were answered, well or not, by which pool, and how fast."""
    times = [(record.ended - record.started) * 1000 for record in records]
    failed = [record for record in records if not record.ok]
    pools = Counter(record.pool or "none" for record in records)
    by_pool = " ".join(f"{pool} {count}" for pool, count in sorted(pools.items()))
    reasons = Counter(str(record.status or record.error) for record in failed)
    why = " (" + ", ".join(f"{count} of {reason}" for reason, count in reasons.most_common(3)) + ")" if failed else ""
    return (
        f"answered {len(records)}, ok {len(records) - len(failed)}, failed {len(failed)}{why}; {by_pool or 'no pool'}; "
        f"p50 {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms"
    )


async def _run(arguments: argparse.Namespace, urls: Sequence[str]) -> list[Record]:
    load = Load(urls, rate=arguments.rate)
    load.start()
    reported, began = 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < arguments.seconds:
        load.rate = _rate(arguments, elapsed)
        next_report = (elapsed // REPORT_SECONDS + 1) * REPORT_SECONDS
        while (now := time.monotonic() - began) < min(next_report, arguments.seconds):
            load.rate = _rate(arguments, now)
            await asyncio.sleep(0.1)
        recent, reported = load.records[reported:], len(load.records)
        _print(f"{now:6.1f} s  {load.rate:g}/s  in flight {load.in_flight}  {summarise(recent)}")
    await load.stop()
    return load.records


def _rate(arguments: argparse.Namespace, elapsed: float) -> float:
    since_surge = elapsed - arguments.surge_after
    surging = arguments.surge is not None and 0 <= since_surge < arguments.surge_seconds
    return float(arguments.surge if surging else arguments.rate)


def _requests(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= MOST_RATE:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to {MOST_RATE:g} requests a second")
    return rate


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.load", description="Sends HTTP load to a lab's application.")
    parser.add_argument("--lab", type=Path, default=Path("build/lab/lab.json"), help="the running lab's description")
    parser.add_argument("--application", default="checkout")
    parser.add_argument("--rate", type=_requests, default=50.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--surge", type=_requests, help="requests a second during the surge")
    parser.add_argument("--surge-after", type=float, default=20.0, metavar="S")
    parser.add_argument("--surge-seconds", type=float, default=30.0, metavar="S")
    return parser.parse_args(arguments)


def _urls(arguments: argparse.Namespace) -> list[str]:
    """Raises LookupError with a sentence when there is no such lab or application."""
    try:
        applications = json.loads(arguments.lab.read_text(encoding="utf-8"))["applications"]
    except OSError as error:
        raise LookupError(f"{arguments.lab} cannot be read ({error.strerror}): start the lab first.") from error
    if arguments.application not in applications:
        raise LookupError(f"There is no application {arguments.application!r}; there are {', '.join(applications)}.")
    urls: list[str] = applications[arguments.application]["urls"]
    return urls


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this command's output


def main(given: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 when there is nothing to send to."""
    arguments = _parse(given)
    try:
        urls = _urls(arguments)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)  # noqa: T201 - this command's output
        return 2
    records = asyncio.run(_run(arguments, urls))
    _print(f"In all: {summarise(records)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
