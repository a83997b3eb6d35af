from __future__ import annotations

from collections.abc import Sequence

from panel.fleet.heartbeats import Beat
from panel.fleet.pulse import Pulse
from panel.web.health import Health, health

FINE, SILENT, NEVER = Beat(1.0, ok=True), Beat(75.0, ok=False), Beat(None, ok=False)


def judged(applications: int = 1, unread: Sequence[str] = (), **parts: object) -> Health:
    all_fine = {"worker": FINE, "beat": FINE, "observer": FINE, "broker_ok": True}
    pulse = Pulse(**(all_fine | {"last_event_at": None} | parts))
    return health(pulse, now=1000.0, unread=unread, applications=applications)


def test_when_all_is_well_there_is_nothing_to_say() -> None:
    assert judged().problems == ()
    assert judged().read_at == 999.0


def test_each_silent_part_is_named_with_what_follows() -> None:
    found = judged(worker=SILENT, beat=NEVER, observer=SILENT, broker_ok=False)

    assert [problem.split(":")[0] for problem in found.problems] == [
        "The worker has been silent for 1 min",
        "Beat has not shown itself yet",
        "AWS was last read 1 min ago",
        "The broker (Redis) does not answer",
    ]
    assert [part.ok for part in found.parts] == [False, False, False]


def test_without_applications_nothing_needs_to_be_read() -> None:
    assert judged(applications=0, observer=NEVER).problems == ()


def test_aws_that_throttles_is_told_once_however_many_applications_it_is_about() -> None:
    problem = "cloudwatch:DescribeAlarms on *: Throttling: Rate exceeded"
    found = judged(applications=3, unread=[problem, problem])

    (told,) = found.problems
    assert told.startswith("AWS throttles the panel's calls: 2 of 3 applications can't be read in full.")
    assert (found.parts[-1].name, found.parts[-1].word) == ("AWS", "throttles")


def test_what_aws_denies_is_told_in_its_own_words() -> None:
    found = judged(unread=["AccessDenied on elasticloadbalancing:DescribeListeners"])

    assert found.problems == (
        "AWS did not tell everything about 1 of 1 application: AccessDenied on elasticloadbalancing:DescribeListeners.",
    )
