"""The same load on the same lab, with one controller or the other: what clients saw, and what it took."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.configuration import SLUG
from bench.events import Handle, received
from lab.load import Record
from lab.process import LabProcess, start_lab
from lab.traffic import Traffic
from stack.laboratory import Laboratory, laboratory
from stack.watch import Sight, Watch

LOGS = Path("build/bench")
WORLD = Path(__file__).parent / "worlds" / "checkout.toml"
SCHEDULE = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
SCHEDULE_SECONDS = 5.0


@dataclass(frozen=True)
class Stage:
    """So many seconds with so many requests a second, of which so many percent take five seconds."""

    name: str
    seconds: float
    rate: float
    slow_percent: float


@dataclass
class Told:
    """What the controller said: (epoch seconds, kind, message). ``ended`` once the play is over."""

    lines: list[tuple[float, str, str]]
    ended: bool = False

    def tell(self, kind: str, message: str) -> None:
        self.lines.append((time.time(), kind, message))


@dataclass(frozen=True)
class Played:
    """``starts`` are when each stage began, in epoch seconds; ``state`` and ``calls`` are the lab's at the end."""

    stages: Sequence[Stage]
    starts: Sequence[float]
    records: Sequence[Record]
    sights: Sequence[Sight]
    state: dict[str, Any]
    calls: dict[str, Any]
    told: Told


# Given the running lab and where to tell: what handles an event, as long as the block lasts.
Controller = Callable[[LabProcess, Told], AbstractContextManager[Handle]]


def play(name: str, stages: Sequence[Stage], controller: Controller, *, scheduled: bool) -> Played:
    """A lab of its own for the stages, with the controller woken by its events; ``scheduled``: and by the clock.

    What the controller told is kept in ``build/bench/NAME.log``, to see why a figure is what it is.
    """
    with tempfile.TemporaryDirectory() as directory, start_lab(WORLD, Path(directory), port=0) as lab:
        told = Told([])
        with controller(lab, told) as handle, _waking(handle, told, scheduled=scheduled) as url:
            played = asyncio.run(_play(laboratory(lab.description), stages, told, url))
        _keep(name, played)
        return played


def _keep(name: str, played: Played) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    lines = [f"{at - played.starts[0]:7.1f} s  {kind:<8} {message}" for at, kind, message in played.told.lines]
    (LOGS / f"{name}.log").write_text("\n".join([*lines, ""]), encoding="utf-8")


@contextmanager
def _waking(handle: Handle, told: Told, *, scheduled: bool) -> Iterator[str]:
    with received(_surviving(handle, told), SCHEDULE if scheduled else None, SCHEDULE_SECONDS) as url:
        try:
            yield url
        finally:
            told.ended = True


def _surviving(handle: Handle, told: Told) -> Handle:
    """An invocation that fails is told and ends; the next event is a new one."""

    def survive(event: dict[str, Any]) -> None:
        try:
            handle(event)
        except Exception as error:  # noqa: BLE001 - whatever a controller dies of is what is measured
            told.tell("died", repr(error))

    return survive


async def _play(lab: Laboratory, stages: Sequence[Stage], told: Told, url: str) -> Played:
    await lab.send_events_to(url, "none")
    traffic, watch = Traffic(lab.application(SLUG).urls), Watch(lab, SLUG, lambda _what, _detail: None)
    looking = asyncio.create_task(watch.look())
    traffic.set(0, 0)
    traffic.start()
    starts = []
    for stage in stages:
        starts.append(time.time())
        traffic.set(stage.rate, stage.slow_percent)
        await asyncio.sleep(stage.seconds)
    told.ended = True
    await traffic.stop()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    return Played(stages, starts, traffic.records, watch.sights, await lab.state(), await lab.calls(), told)
