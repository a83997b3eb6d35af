"""``python -m bench.chaos.cell SCENARIO FAULT --seed N --directory D``: plays one cell in a process of its own.

Everything that it starts and writes is under its directory; `evidence.json` is what was found. People call
``python -m bench.chaos``, which calls this.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from bench.chaos import stage as stages
from bench.chaos.faults import FAULTS, MOMENTS, Moment, moment_of
from bench.chaos.judge import Evidence, Write
from bench.chaos.senders import Senders
from bench.chaos.stage import SLUG, Stage
from bench.postgresql import start_postgresql
from lab.traffic import Traffic
from stack.loopback import put_json
from stack.part import PartError
from stack.product import forget_foreign_settings
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise
from stack.watch import Watch

SCENARIOS = Path(__file__).parent / "scenarios"
LOOK_SECONDS = 0.1
QUIET_SECONDS = 45.0  # until nothing is under way any more once the scenario has ended
LAST_SECONDS = 5.0  # of requests, by which a safe stop is judged
WRITES = {"UpdateService", "ModifyListener", "ModifyRule", "RegisterScalableTarget"}


class Cell:
    """One scenario with one fault at one moment."""

    def __init__(self, scenario: str, fault: str, seed: int, directory: Path) -> None:
        self.scenario, self.fault, self.directory = scenario, FAULTS[fault], directory
        self.random = Random(f"{seed}/{scenario}/{fault}")  # noqa: S311 - a play of chance that can be repeated
        self.moment: Moment = moment_of(scenario, self.random)
        self.happened = ""
        self.began = time.time()

    def play(self) -> int:
        """0 when it came to its end, however that was."""
        forget_foreign_settings()
        with (self.directory / "log.txt").open("wb") as log, start_postgresql() as database:
            screen = Screen(log.fileno(), colour=False, verbose=False)
            with ThreadPoolExecutor(1) as keeper:

                async def work(supervisor: Supervisor) -> int:
                    stage = await stages.start(supervisor, self.directory, database, keeper)
                    try:
                        evidence = await self._play(stage)
                    finally:
                        stage.rows.close()
                    self._keep(evidence)
                    return 0

                return asyncio.run(supervise(work, self.directory / "log", screen, stopped_status=130))

    async def _play(self, stage: Stage) -> Evidence:
        say = stage.supervisor.screen.say
        account, region = stage.lab.account, stage.lab.region
        about = {"account": account, "region": region, "alarm": stage.lab.application(SLUG).alarms[0]}
        senders = Senders(int(stage.panel.env["PORT"]), stage.key, about)
        clients = Traffic(stage.lab.application(SLUG).urls)
        watch = Watch(stage.lab, SLUG, lambda what, detail: say(f"{self._at():7.1f} s  {what:<10} {detail}"))
        clients.start()
        background = [
            asyncio.create_task(watch.look()), asyncio.create_task(self._follow(stage, clients)),
            asyncio.create_task(senders.flow()),
        ]  # fmt: skip
        breaking = asyncio.create_task(self._break(stage))
        try:
            played = await self._scenario(stage)
            await self._until_quiet(stage, breaking)
            background[-1].cancel()
            await senders.finish(QUIET_SECONDS)
            await self._until_quiet(stage, breaking)
            return await self._evidence(stage, played, senders, clients, watch)
        finally:
            for task in (*background, breaking):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await clients.stop()

    def _at(self) -> float:
        return time.time() - self.began

    async def _scenario(self, stage: Stage) -> Mapping[str, Any]:
        text = (SCENARIOS / f"{self.scenario}.toml").read_text(encoding="utf-8")
        await put_json(f"{stage.lab.endpoint}/_lab/scenario", {"toml": text})
        told = 0
        while True:
            shown = (await stage.lab.stage())["scenario"]
            for moment in shown["told"][told:]:
                stage.supervisor.screen.say(f"{self._at():7.1f} s  {moment['what']:<10} {moment['detail']}")
            told = len(shown["told"])
            if shown["ended"]:
                return dict(shown)
            await asyncio.sleep(0.5)

    async def _follow(self, stage: Stage, clients: Traffic) -> None:
        """Send what the scenario asks for, until cancelled."""
        while True:
            with contextlib.suppress(OSError):
                loads = (await stage.lab.stage())["loads"]
                if SLUG in loads:
                    clients.set(**loads[SLUG])
            await asyncio.sleep(0.5)

    async def _break(self, stage: Stage) -> None:
        """Wait for the moment and let the fault happen, once."""
        while not self.moment.has_come(now := await asyncio.to_thread(stage.rows.under_way)):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(self.moment.after_seconds)
        self.happened = f"{self.moment} (#{now.operation if now else '?'}), {self._at():.1f} s after the beginning"
        stage.supervisor.screen.say(f"{self._at():7.1f} s  fault      {self.fault.meaning}: {self.happened}")
        await self.fault.happen(stage, self.random)
        stage.supervisor.screen.say(f"{self._at():7.1f} s  fault      over")

    async def _until_quiet(self, stage: Stage, breaking: asyncio.Task[None]) -> None:
        """Until the fault is over, and no operation under way and no event waiting, twice in a row."""
        until, quiet = time.monotonic() + QUIET_SECONDS, 0
        if self.happened:
            await asyncio.wait({breaking}, timeout=QUIET_SECONDS)
        while quiet < 2 and time.monotonic() < until:
            quiet = 0 if await asyncio.to_thread(stage.rows.unfinished) else quiet + 1
            await asyncio.sleep(1)

    async def _evidence(
        self, stage: Stage, played: Mapping[str, Any], senders: Senders, clients: Traffic, watch: Watch
    ) -> Evidence:
        audit_problem, exported = await asyncio.gather(
            _audit_problem(stage), stage.manage("export_operations", "--application", SLUG)
        )
        state, calls = await stage.lab.state(), await stage.lab.calls()
        notes = self._notes()
        since = time.time() - LAST_SECONDS
        last = [each for each in clients.records if each.ended >= since]
        splits = {*watch.sights[-1].written.values(), *watch.sights[-1].nodes.values()}
        return Evidence(
            fault=self.fault.name,
            happened=self.happened,
            findings=[(each["name"], each["holds"], each["seen"]) for each in played["findings"]],
            operations=json.loads(exported),
            weights=splits.pop() if len(splits) == 1 else None,
            answered=sum(each.ok for each in last),
            failed=sum(not each.ok for each in last),
            sent=senders.sent,
            rows=await asyncio.to_thread(stage.rows.events),
            processed=[each["event"] for each in notes if each["what"] == "processed"],
            dead_letters=state["dead_letters"],
            delivered=[each["id"] for each in state["events"] if each["outcome"] == "delivered"],
            audit=await asyncio.to_thread(stage.rows.audit),
            audit_problem=audit_problem,
            writes=[Write(n["action"], n["operation"], n["lease"]) for n in notes if n["what"] == "write"],
            taken_by_aws=sum(each["ok"] and each["action"] in WRITES for each in calls["writes"]),
        )

    def _notes(self) -> list[dict[str, Any]]:
        file = self.directory / "notes.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def _keep(self, evidence: Evidence) -> None:
        (self.directory / "evidence.json").write_text(json.dumps(asdict(evidence), indent=1), encoding="utf-8")


async def _audit_problem(stage: Stage) -> str:
    try:
        await stage.manage("verify_audit")
    except PartError as problem:
        return str(problem)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos.cell", description=__doc__)
    parser.add_argument("scenario", choices=MOMENTS)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    cell = Cell(arguments.scenario, arguments.fault, arguments.seed, arguments.directory.resolve())
    return cell.play()


if __name__ == "__main__":
    sys.exit(main())
