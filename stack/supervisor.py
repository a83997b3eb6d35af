"""Runs parts together: if one dies, or somebody asks for it, all of them end, in reverse order.

It never restarts a part: in production that is the platform's work, and here a part that died is news.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from stack.part import Part, PartError, RunningPart, how_it_ended, kill_group, spawn
from stack.screen import Screen

_LOOK_SECONDS = 0.2


class Supervisor:
    """Starts parts one after the other and ends all of them; see `supervise`."""

    def __init__(self, log_dir: Path, screen: Screen, stopped_status: int) -> None:
        self.screen = screen
        self.log_dir = log_dir
        self._stopped_status = stopped_status
        self.ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._running: list[RunningPart] = []
        self._watches: list[asyncio.Task[None]] = []
        log_dir.mkdir(parents=True, exist_ok=True)

    async def start(self, part: Part) -> None:
        """Start a part and return when it is ready.

        Raises PartError if it isn't in time. If it dies, everything ends, and this call with it.
        """
        began = time.monotonic()
        running = await RunningPart.start(part, self.log_dir / f"{part.name}.log")
        self._running.append(running)
        self._watches.append(asyncio.create_task(self._watch(running)))
        await self._until_ready(running)
        self.screen.part_says(part.name, f"ready after {time.monotonic() - began:.1f} s")

    async def bounce(self, name: str, away_seconds: float, *, kill: bool) -> None:
        """End a part, killed outright or asked to, and start it again after so many seconds.

        Raises PartError if it isn't ready in time then.
        """
        running = next(each for each in self._running if each.part.name == name)
        self._running.remove(running)  # from now on its end is no news
        if kill:
            running.kill()
        await running.end()
        await asyncio.sleep(away_seconds)
        await self.start(running.part)

    async def run(self, name: str, argv: tuple[str, ...], env: Mapping[str, str]) -> str:
        """Run a step to its end and return its standard output.

        Raises PartError with what it said when it did not exit with 0.
        """
        pipe = asyncio.subprocess.PIPE
        process = await spawn(name, argv, env, stdout=pipe, stderr=pipe)
        try:
            output, complaint = await process.communicate()
        finally:
            kill_group(process.pid)
            await process.wait()
        if process.returncode:
            raise PartError(f"{name} ended with {how_it_ended(process.returncode)}:\n{complaint.decode()[-2000:]}")
        return output.decode()

    def end(self, status: int) -> None:
        """Let everything end with this exit status; the first reason counts."""
        if not self.ending.done():
            self.ending.set_result(status)

    def asked_to_stop(self) -> None:
        """Ctrl-C or a signal; at the second time nothing is waited for."""
        if self.ending.done():
            for running in self._running:
                running.kill()
            return
        self.screen.say("\nStopping (Ctrl-C again to kill) …")
        self.end(self._stopped_status)

    async def end_all(self) -> None:
        for running in reversed(self._running):
            self._show(running)
            await running.end()
        await asyncio.gather(*self._watches)

    async def show_output(self) -> None:
        """Show what the parts write, until cancelled."""
        while True:
            for running in self._running:
                self._show(running)
            await asyncio.sleep(_LOOK_SECONDS)

    def _show(self, running: RunningPart) -> None:
        for line in running.new_lines():
            self.screen.part_wrote(running.part.name, line)

    async def _watch(self, running: RunningPart) -> None:
        how = how_it_ended(await running.wait())
        if running in self._running and not self.ending.done():
            self.screen.say(
                f"{running.part.name} ended with {how}; stopping the rest. Its last lines:\n{running.last_lines()}"
            )
            self.end(1)

    async def _until_ready(self, running: RunningPart) -> None:
        part = running.part
        try:
            async with asyncio.timeout(part.ready_seconds):
                while part.ready and not await part.ready():  # noqa: ASYNC110 - another process can set no event
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError as error:
            raise PartError(
                f"{part.name} was not ready within {part.ready_seconds:g} s. Its last lines:\n{running.last_lines()}"
            ) from error


async def supervise(
    work: Callable[[Supervisor], Awaitable[int]], log_dir: Path, screen: Screen, *, stopped_status: int = 0
) -> int:
    """Do `work`, which starts parts; then end every part in reverse order.

    Returns the exit status: what `work` returned, `stopped_status` if SIGINT, SIGTERM or SIGHUP asked for the end,
    1 if a part died or was never ready.
    """
    supervisor = Supervisor(log_dir, screen, stopped_status)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(ending, supervisor.asked_to_stop)
    tasks = [asyncio.create_task(_work(work, supervisor)), asyncio.create_task(supervisor.show_output())]
    try:
        return await supervisor.ending
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await supervisor.end_all()


async def _work(work: Callable[[Supervisor], Awaitable[int]], supervisor: Supervisor) -> None:
    try:
        supervisor.end(await work(supervisor))
    except PartError as failure:
        supervisor.screen.say(f"{failure}")
        supervisor.end(1)
    except Exception as error:
        if not supervisor.ending.done():
            supervisor.ending.set_exception(error)
        raise
