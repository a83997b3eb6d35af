"""The fleet's list: what it shows, in which order, and what that costs."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from failover.model import AlarmState, Split
from panel.accounts import members
from panel.accounts.models import default_team
from panel.fleet.models import Application
from panel.operations import services
from panel.web import rows
from panel.web.outlines import in_order, outlines
from panel.web.standing import Brakes, now, standing_of
from tests.panel.web import examples
from tests.panel.web.test_acting import text

MOST_QUERIES = 12


@pytest.fixture
def fleet(db: None, now: float) -> None:
    """One of each kind; `calm` comes last."""
    examples.application("alarm", examples.snapshot(at=now, alarm=AlarmState.ALARM), name="Zebra API")
    examples.operation(examples.application("moving", examples.snapshot(at=now)))
    examples.application("unread", examples.snapshot(at=now - 900))
    examples.operation(examples.application("failed", examples.snapshot(at=now)), status="failed")
    examples.application("away", examples.snapshot(at=now, split=Split(0, 100)))
    examples.hold(examples.application("held", examples.snapshot(at=now)))
    examples.application("silent", examples.snapshot(at=now, alarm=AlarmState.INSUFFICIENT_DATA))
    busy = examples.snapshot(at=now, concurrency=(60.0, 60.0), limit=64)
    examples.application("calm", busy, name="Ant API", mode="off")


def shown(response: object) -> list[str]:
    return [row.standing.application.slug for row in response.context["rows"]]  # type: ignore[attr-defined]


def test_what_needs_a_person_comes_first(browser_of: Client, beating: None, fleet: None) -> None:
    assert shown(browser_of.get("/")) == ["alarm", "moving", "unread", "failed", "away", "held", "silent", "calm"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=zEbRa", ["alarm"]),
        ("q=held", ["held"]),
        ("show=alarm", ["alarm"]),
        ("show=moving", ["moving"]),
        ("show=away", ["away"]),
        ("show=held", ["held"]),
        ("show=manual", ["calm"]),
        ("show=attention&q=a", ["alarm", "unread", "failed", "away"]),
        ("q=nothing+like+it", []),
    ],
)
def test_a_filter_in_the_address_shows_only_what_fits(
    browser_of: Client, beating: None, fleet: None, query: str, expected: list[str]
) -> None:
    page = browser_of.get(f"/?{query}")

    assert sorted(shown(page)) == sorted(expected)
    assert f"{len(expected)} of 8 shown" in text(page)


def test_it_is_sorted_by_name_or_by_how_close_lambda_is_to_its_limit(
    browser_of: Client, beating: None, fleet: None
) -> None:
    assert shown(browser_of.get("/?sort=name"))[0] == "calm", "Ant API"
    assert shown(browser_of.get("/?sort=load"))[0] == "calm", "60 of 64"


@pytest.mark.parametrize("query", ["show=nonsense", "sort=nonsense", "page=99", "q=%00", "q=" + "x" * 200])
def test_an_address_that_makes_no_sense_is_no_error(browser_of: Client, beating: None, fleet: None, query: str) -> None:
    assert browser_of.get(f"/?{query}").status_code == 200


def test_outline_and_row_judge_alike(browser_of: Client, fleet: None) -> None:
    moment = now()
    for outline in outlines(Application.objects.all(), moment, Brakes.now(moment)):
        application = Application.objects.select_related("stored_snapshot").get(pk=outline.pk)
        assert outline.attention is rows.attention(standing_of(application, moment)), outline.slug


def test_a_failure_that_somebody_looked_at_or_that_went_well_since_needs_nobody(db: None, now: float) -> None:
    seen = examples.application("seen", examples.snapshot(at=now))
    examples.operation(seen, status="failed", finished_at=datetime.now(UTC) - timedelta(seconds=5))
    services.acknowledge(seen, by="bo", comment="the provider")
    mended = examples.application("mended", examples.snapshot(at=now))
    examples.operation(mended, status="failed")
    examples.operation(mended, status="succeeded")
    moment = datetime.now(UTC)

    found = outlines(Application.objects.all(), moment, Brakes.now(moment))

    assert [each.attention.name for each in in_order(found)] == ["QUIET", "QUIET"]


def test_whoever_takes_compressed_pages_gets_them(browser_of: Client, beating: None, fleet: None) -> None:
    plain, packed = browser_of.get("/"), browser_of.get("/", headers={"accept-encoding": "gzip"})

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert b"Zebra API" in gzip.decompress(packed.content)
    assert len(packed.content) < len(plain.content) / 3


def test_fifty_rows_with_everything_in_them_cost_twelve_queries(
    browser_of: Client,
    beating: None,
    operator: User,
    now: float,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    for number in range(60):
        row = examples.application(f"app-{number:02}", examples.snapshot(at=now, concurrency=examples.wave(20)))
        examples.operation(row, headline="")
        examples.operation(row, "failback", status="failed")
        examples.refusal(row)
        examples.hold(row)
    examples.hold(None)
    services.set_kill_switch(on=True, by="bo", reason="AWS")
    with django_assert_max_num_queries(MOST_QUERIES):
        assert len(shown(browser_of.get("/"))) == 50

    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    members.set_role(User.objects.get(pk=operator.pk), default_team(), "operator")
    with django_assert_max_num_queries(MOST_QUERIES):
        assert len(shown(browser_of.get("/"))) == 50
