"""What users see while an operation runs: asked, kept, told, and taken as evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from failover.model import Probed, Reading
from failover.probing import Tick
from panel import queues
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations import services, stepping
from panel.operations.models import Operation
from panel.probing import rounds, strip
from panel.probing.models import Burst
from tests.panel.fake_aws import FakeAws
from tests.panel.receivers import Receiver, receiving

NOW = datetime(2026, 3, 3, 12, 0, 3, tzinfo=UTC)
SLOT = NOW - timedelta(seconds=3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot as short as it can be; loopback is allowed, as the installation's owner may."""
    monkeypatch.setattr(rounds, "SLOT_SECONDS", 0.1)
    monkeypatch.setattr(settings, "PANEL_OUTBOUND_ALLOW", ("127.0.0.0/8",))


@pytest.fixture
def api() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.answers = [200]
        yield receiver


@pytest.fixture
def probed(application: Application, aws: FakeAws, document: dict[str, Any], api: Receiver) -> Operation:
    return _operation(application, document, f"{api.url}/env")


def _operation(application: Application, document: dict[str, Any], url: str, goal: str = "failover") -> Operation:
    document["application"]["probe_url"] = url
    document["policy"] |= {"probe_per_second": 20, "probe_timeout_seconds": 0.3}
    import_document(document, "checkout.toml")
    application.refresh_from_db()
    tasks = 2 if goal == "set_weights" else 0
    return services.request_operation(application, goal, trigger="drill", reason="x", tasks=tasks)


def test_an_operation_under_way_is_probed_at_its_policys_rate(probed: Operation, api: Receiver) -> None:
    assert rounds.play(NOW) == 1
    burst = Burst.objects.get()
    assert len(burst.ticks) == len(api.heard) == 2
    assert {heard.path for heard in api.heard} == {"/env"}
    assert [tick.outcome for tick in rounds.ticks_of(burst)] == ["ok", "ok"]


def test_of_two_workers_one_probes(probed: Operation, api: Receiver) -> None:
    assert [rounds.play(NOW), rounds.play(NOW)] == [1, 0]
    assert Burst.objects.count() == 1


def test_rounds_never_hold_every_process_of_their_worker(
    application: Application, document: dict[str, Any], api: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(rounds.probing, "burst", lambda _count, _every, seconds, _send: asked.append(seconds) or [])
    operation = _operation(application, document, f"{api.url}/env")
    operation.document["policy"]["probe_timeout_seconds"] = 30
    operation.save()
    rounds.play(NOW)
    slot = 5
    longest = slot + asked[0] + rounds.probing.GRACE_SECONDS
    at_once = math.ceil(longest / slot)
    assert at_once < queues.WORKERS[queues.OUTBOUND][1], "what people are to be told gets through"


def test_who_failed_is_kept_with_how(probed: Operation, api: Receiver) -> None:
    api.answers = [503]
    rounds.play(NOW)
    assert [(tick.outcome, tick.status) for tick in rounds.ticks_of(Burst.objects.get())] == [("failed", 503)] * 2


def test_a_silent_api_is_a_time_out_and_a_redirect_is_not_followed(probed: Operation, api: Receiver) -> None:
    api.answers = [0]
    rounds.play(NOW)
    assert [tick.outcome for tick in rounds.ticks_of(Burst.objects.get())] == ["timeout"] * 2
    api.over.set()
    api.answers, heard = ["http://127.0.0.1:1/"], len(api.heard)
    rounds.play(NOW + timedelta(seconds=5))
    assert {tick.status for tick in rounds.ticks_of(Burst.objects.last())} == {302}
    assert len(api.heard) == heard + 2


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://127.0.0.1/"])
def test_where_the_panel_must_not_send_nothing_is_sent_and_the_page_says_why(
    application: Application,
    aws: FakeAws,
    document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    client: Any,
    admin_user: Any,
    url: str,
) -> None:
    monkeypatch.setattr(settings, "PANEL_OUTBOUND_ALLOW", ())
    operation = _operation(application, document, url)
    rounds.play(NOW)
    burst = Burst.objects.get()
    assert burst.ticks == []
    assert "PANEL_OUTBOUND_ALLOW" in burst.problem
    reading = rounds.evidence(operation, lambda: NOW)
    assert (reading.value, reading.problem) == (None, burst.problem)
    client.force_login(admin_user)
    page = client.get(f"/operations/{operation.pk}/").content.decode()
    assert "Probes are not sent." in page


def test_what_has_ended_moves_no_weight_or_has_nothing_to_ask_is_not_probed(
    application: Application, aws: FakeAws, document: dict[str, Any], api: Receiver
) -> None:
    prepares = _operation(application, document, api.url, "set_weights")
    assert rounds.play(NOW) == 0
    Operation.objects.filter(pk=prepares.pk).update(status="succeeded", finished_at=timezone.now())
    _operation(application, document, "")
    assert rounds.play(NOW) == 0
    assert not api.heard


# ---- evidence ----


def burst(operation: Operation, at: datetime, *ticks: tuple[str, str, int, int]) -> Burst:
    """Ticks (pool, outcome, status, milliseconds), half a second apart."""
    rows = [[500 * number, *tick, ""] for number, tick in enumerate(ticks)]
    return Burst.objects.create(operation=operation, at=at, ticks=rows)


GOOD, LOST = ("lambda", "ok", 200, 20), ("", "failed", 502, 8)
SHIFTED = ("ecs", "ok", 200, 40)


def test_the_controller_is_told_by_pool_and_time(probed: Operation) -> None:
    assert rounds.evidence(probed).problem == "nothing was probed yet"
    burst(probed, SLOT - timedelta(hours=1), GOOD)
    burst(probed, SLOT - timedelta(seconds=5), GOOD, GOOD, LOST)
    burst(probed, SLOT)
    at = (SLOT - timedelta(seconds=5)).timestamp()
    assert rounds.evidence(probed, lambda: NOW) == Reading.of((Probed(at, "", 1, 1), Probed(at, "lambda", 2, 0)), at)


def test_an_operation_is_judged_by_its_own_probes_and_what_follows_is_not(
    probed: Operation, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Reading] = []
    step = stepping.controller.step

    def watched(*arguments: Any, **more: Any) -> Any:
        given.append(more["probe"]())
        return step(*arguments, **more)

    monkeypatch.setattr(stepping.controller, "step", watched)
    burst(probed, timezone.now(), GOOD)
    stepping.step_operation(probed.pk)
    assert given[0].value is not None
    application.stored_snapshot.refresh_from_db()
    assert application.stored_snapshot.body["probes"]["value"] is None


def test_what_is_older_than_a_quarter_is_forgotten(probed: Operation) -> None:
    burst(probed, NOW - timedelta(days=91), GOOD)
    kept = burst(probed, NOW - timedelta(days=89), GOOD)
    rounds.forget(NOW)
    assert list(Burst.objects.all()) == [kept]


# ---- what people see ----


def test_figures_tell_failures_pools_the_longest_gap_and_latency(probed: Operation) -> None:
    burst(probed, SLOT, GOOD, GOOD, LOST, LOST, SHIFTED)
    found = strip.summary(probed)
    assert found is not None
    assert (found.sent, found.failed, found.unanswered) == (5, 2, 0)
    assert found.by_pool == {"": (2, 2), "ecs": (1, 0), "lambda": (2, 0)}
    assert found.longest_gap == 1.5, "from the last good answer to the next"
    assert (found.p50, found.p95) == (20, 40)


def test_without_a_failure_there_is_no_gap_and_without_probes_nothing(probed: Operation) -> None:
    assert strip.summary(probed) is None
    assert strip.strip(probed) is None
    assert strip.figures([Tick(0, "ecs", "ok", 200, 5), Tick(60, "ecs", "ok", 200, 5)]).longest_gap == 0


def test_probes_that_fail_to_the_end_are_a_gap_to_the_end() -> None:
    ticks = [Tick(0, "ecs", "ok", 200, 5), *(Tick(at, "", "timeout", 0, 2000) for at in (1, 2, 3))]
    found = strip.figures(ticks)
    assert (found.longest_gap, found.p50, found.unanswered) == (3, 5, 3)


def test_the_page_shows_a_lane_for_each_pool_and_the_figures_behind(
    probed: Operation, client: Any, admin_user: Any
) -> None:
    burst(probed, SLOT, GOOD, LOST, SHIFTED)
    client.force_login(admin_user)
    page = client.get(f"/operations/{probed.pk}/").content.decode()
    assert "3 probes, 1 failed" in page
    assert 'aria-label="Probes by the pool that answered: Lambda 1, 0 failed; ECS 1, 0 failed; Not known 1, 1' in page
    assert 'class="tick-lambda"' in page
    assert 'class="lost-tick"' in page
    assert "1 of 1 failed: 502" in page


def test_of_very_many_probes_a_strip_draws_a_bounded_number(probed: Operation) -> None:
    for number in range(300):
        burst(probed, SLOT + timedelta(seconds=5 * number), *[GOOD] * 9, LOST)
    found = strip.strip(probed)
    assert found is not None
    assert len(found.marks) <= 2 * (strip.COLUMNS + 1)
    assert found.figures.sent == 3000
    assert len(found.rows) == strip.TABLE_ROWS
