"""``python -m bench.month`` lets the panel live for a month in virtual time, and says what grew.

The panel's own services, tasks, webhook and pages on a SQLite file, over three applications of the lab, each with a
surge a day; duplicates, strangers, refusals, drills, rehearsals, probes, notifications, people. Sweeps that beat asks
for every few seconds come every 30 to 120 s while something is under way and every 15 minutes otherwise. After the last
day the clock jumps a year and a half ahead, and what should be forgotten by then has to be gone. ``build/month.json``
has the figures.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import clock
from bench.month.judge import Figures, judge

BUILD = Path("build")
LATER_DAYS = 550
CHORES = (
    "audit.close_windows", "fleet.roll_up", "notify.forget_old", "audit.forget_old", "probing.forget_old",
    "ingest.forget_old", "accounts.forget_sessions",
)  # fmt: skip
SHOWN = ("ingest_event", "fleet_sample", "operations_operation", "operations_journalentry", "probing_burst",
         "audit_entry", "notify_delivery", "drills_drill", "django_session")  # fmt: skip


def _set_up(database: Path) -> None:
    for name in ("", "-wal", "-shm"):
        Path(f"{database}{name}").unlink(missing_ok=True)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="panel.settings", DATABASE_URL=f"sqlite:///{database}",
        PANEL_SECRET_KEY=secrets.token_urlsafe(50), REDIS_URL="redis://127.0.0.1:9/0",
        PANEL_ALLOWED_HOSTS="testserver,127.0.0.1",
    )  # fmt: skip


class _Now:
    """The lab's time, once there is a lab, and what it is ahead by."""

    lab: Any = None
    ahead: float = 0.0

    def __call__(self) -> float:
        return clock.right_time() if self.lab is None else float(self.lab.now) + self.ahead


def live(days: int, every: int, note: str) -> int:
    """A month, or so many days, with figures each so many days. 0, or 1 where something grew."""
    BUILD.mkdir(exist_ok=True)
    database = (BUILD / "month.sqlite3").resolve()
    _set_up(database)
    now = _Now()
    clock.set_by(now)
    import django  # noqa: PLC0415 - settings come from the environment above, and the clock before the panel

    django.setup()
    logging.disable(logging.WARNING)
    from django.core.management import call_command  # noqa: PLC0415

    from bench import machine  # noqa: PLC0415
    from bench.month import life as lives  # noqa: PLC0415
    from bench.month import tables  # noqa: PLC0415
    from bench.month.clockwork import Clockwork, backlog  # noqa: PLC0415
    from panel.celery import app  # noqa: PLC0415

    app.loader.import_default_modules()
    now.lab = lives.lab()
    call_command("migrate", verbosity=0)
    clockwork = Clockwork(now.lab)
    life = lives.Life(now.lab, clockwork)
    life.begin()
    began, cpu, figures = time.monotonic(), time.process_time(), list[Figures]()
    _say(f"{days} days of {len(lives.SLUGS)} applications: about {days * 30 / 60:.0f} minutes of processor time.")
    _say(
        f"{'day':>4} {'CPU s':>6} {'MB':>5} {'objects':>8} {'waiting':>8}  "
        + " ".join(f"{_short(n):>10}" for n in SHOWN)
    )
    for day in range(1, days + 1):
        for hour in range(24):
            life.hour(24 * (day - 1) + hour)
        if day % every == 0 or day == days:
            hour_ago = lives.moment(now() - 3600)
            gc.collect()
            seen = Figures(day, _memory_mb(), len(gc.get_objects()), backlog(hour_ago), tables.rows())
            figures.append(seen)
            _say(_line(seen, time.process_time() - cpu))
    rows_at_end = figures[-1].rows
    now.ahead = timedelta(days=LATER_DAYS).total_seconds()
    for _ in range(3):  # what goes in portions
        for name in CHORES:
            app.tasks[name]()
    later = tables.rows()
    beyond = [
        *tables.beyond_retention(lives.moment(now())),
        *(f"{n} times: {what}" for what, n in clockwork.failures.items()),
    ]
    beyond += [
        f"The webhook or a page answered {status}, {n} times." for status, n in life.answers.items() if status >= 500
    ]
    bounded = [name for name, rule in tables.KEPT.items() if isinstance(rule, tables.Bounded)]
    unknown = sorted({*tables.tables()} - {*tables.KEPT})
    bad = judge(figures, bounded, beyond, unknown)
    _say(_after(rows_at_end, later))
    report = {
        "machine": machine.described(), "note": note, "days": days, "seconds": round(time.monotonic() - began),
        "cpu_seconds": round(time.process_time() - cpu), "figures": [vars(each) for each in figures],
        "rows_later": later, "tasks": dict(clockwork.ran), "answers": dict(life.answers), "messages": life.messages,
        "database_mb": round(database.stat().st_size / 1e6, 1), "bad": bad,
    }  # fmt: skip
    (BUILD / "month.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _say("\n".join(bad) or "Nothing grew that should not.")
    _say(f"Report: {BUILD / 'month.json'}")
    return int(bool(bad))


def _after(before: Mapping[str, int], later: Mapping[str, int]) -> str:
    kept = [f"{name} {before[name]} → {later[name]}" for name in before if before[name] > later[name]]
    return f"\nForgotten {LATER_DAYS} days later: {', '.join(kept) or 'nothing'}."


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGESIZE") / 1e6, 1)


def _line(seen: Figures, cpu: float) -> str:
    head = f"{seen.day:>4} {cpu:>6.0f} {seen.memory_mb:>5.0f} {seen.objects:>8} {sum(seen.backlog.values()):>8}"
    return f"{head}  " + " ".join(f"{seen.rows.get(name, 0):>10}" for name in SHOWN)


def _short(table: str) -> str:
    return table.split("_", 1)[1][:10]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this command's output


def main(given: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 where something grew, 2 for usage."""
    parser = argparse.ArgumentParser(prog="python -m bench.month", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--every", type=int, default=5, help="days between two lines of figures")
    parser.add_argument("--note", default="", help="kept beside the figures, such as that the machine was shared")
    arguments = parser.parse_args(given)
    return live(arguments.days, arguments.every, arguments.note)


if __name__ == "__main__":
    sys.exit(main())
