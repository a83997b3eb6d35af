"""The table [drills]: what it may say, and when its windows block a drill."""

import tomllib
from datetime import UTC, datetime

import pytest

from failover.config import parse
from failover.model.drills import Drills
from tests.failover.test_config import GOOD, problems


def drills(text: str) -> Drills:
    return parse(tomllib.loads(f"{GOOD}\n[drills]\n{text}"), "checkout.toml").drills


def test_without_the_table_nothing_is_scheduled_and_nothing_blocks() -> None:
    assert parse(tomllib.loads(GOOD), "checkout.toml").drills == Drills()
    assert drills("").blocked_by(datetime(2026, 3, 2, tzinfo=UTC)) is None


def test_a_whole_table_is_read() -> None:
    found = drills("""
        schedule = "0 10 * * 2"
        rehearsal_schedule = "30 3 * * *"
        time_zone = "America/Sao_Paulo"
        blocked = ["Mon-Fri 08:00-18:00"]
        blocking_alarms = ["payments-degraded"]
        aborting_alarms = ["checkout-errors"]
        target_seconds = 120
        stay_seconds = 90.5
    """)
    assert (found.schedule, found.rehearsal_schedule, found.time_zone) == (
        "0 10 * * 2", "30 3 * * *", "America/Sao_Paulo",
    )  # fmt: skip
    assert (found.blocking_alarms, found.aborting_alarms) == (("payments-degraded",), ("checkout-errors",))
    assert (found.target_seconds, found.stay_seconds) == (120, 90.5)


MONDAY, TUESDAY, SATURDAY, SUNDAY = (datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3, 7, 8))


@pytest.mark.parametrize(
    ("window", "at", "blocked"),
    [
        ("Mon-Fri 08:00-18:00", MONDAY.replace(hour=8), True),
        ("Mon-Fri 08:00-18:00", MONDAY.replace(hour=7, minute=59), False),
        ("Mon-Fri 08:00-18:00", MONDAY.replace(hour=18), False),
        ("Mon-Fri 08:00-18:00", SATURDAY.replace(hour=12), False),
        ("Sat,Sun 00:00-24:00", SUNDAY.replace(hour=23, minute=59), True),
        ("Sat,Sun 00:00-24:00", MONDAY, False),
        ("daily 22:00-06:00", TUESDAY.replace(hour=5, minute=59), True),
        ("daily 22:00-06:00", TUESDAY.replace(hour=6), False),
        ("Mon 22:00-06:00", TUESDAY.replace(hour=2), True),
        ("Mon 22:00-06:00", MONDAY.replace(hour=2), False),
        ("Sun 22:00-02:00", MONDAY.replace(hour=1), True),
        ("fri-mon 10:00-11:00", SUNDAY.replace(hour=10), True),
        ("fri-mon 10:00-11:00", TUESDAY.replace(hour=10), False),
    ],
)
def test_a_window_blocks_its_own_hours_alone(window: str, at: datetime, blocked: bool) -> None:
    found = drills(f'blocked = ["{window}"]').blocked_by(at)
    assert (found is not None) == blocked
    assert found is None or found.text == window


def test_windows_are_of_the_tables_own_zone() -> None:
    found = drills('blocked = ["Mon 08:00-09:00"]\ntime_zone = "America/Sao_Paulo"')
    assert found.blocked_by(MONDAY.replace(hour=11))
    assert not found.blocked_by(MONDAY.replace(hour=8))


def test_a_drill_that_would_run_into_a_window_is_blocked_as_well() -> None:
    found = drills('blocked = ["Mon 08:00-18:00"]')
    assert not found.blocked_by(MONDAY.replace(hour=7, minute=50), 300)
    assert found.blocked_by(MONDAY.replace(hour=7, minute=50), 900)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('blocked = ["weekdays 08:00-18:00"]', 'drills.blocked must be a list of windows such as "Mon-Fri'),
        ('blocked = ["Mon 08:00"]', "drills.blocked must be"),
        ('blocked = ["Mon 25:00-26:00"]', "drills.blocked must be"),
        ('blocked = ["Mon 08:00-08:00"]', "drills.blocked must be"),
        ('blocked = "Mon 08:00-09:00"', "drills.blocked must be"),
        ('time_zone = "Mars/Olympus"', 'drills.time_zone must be a time zone\'s name such as "UTC"'),
        ("time_zone = 3", "drills.time_zone must be"),
        ("schedule = 3", "drills.schedule must be a cron expression"),
        ('schedule = "0 3 * * \\u0000"', "drills.schedule must be a cron expression"),
        ('aborting_alarms = ["a\\u0000"]', "drills.aborting_alarms must be a list of alarm names"),
        ("blocking_alarms = [1]", "drills.blocking_alarms must be a list of alarm names"),
        ("stay_seconds = 3601", "drills.stay_seconds must be a number from 0 to 3600, not 3601"),
        ("target_seconds = true", "drills.target_seconds must be a number"),
        ("when = 1", "drills.when is unknown. Known are: aborting_alarms, blocked"),
    ],
)
def test_what_is_wrong_is_named(line: str, says: str) -> None:
    [problem] = problems(f"{GOOD}\n[drills]\n{line}")
    assert says in problem


def test_a_probes_header_is_a_headers_name() -> None:
    assert parse(tomllib.loads(GOOD), "f").probe_header == "X-Pool"
    text = GOOD.replace("[lambda]", 'probe_header = "no header"\n[lambda]')
    assert "application.probe_header must be a header's name" in problems(text)[0]
