"""Cautions on an application's page and in the API: what may fail when it is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from failover.model import NOT_READ, Bounds, Code, Reading, Scaling, Snapshot, Versions
from tests.panel.web import examples
from tests.panel.web.test_views import text

PAGE = "/applications/checkout/"
OTHER_CODE = "Lambda runs version 1.4, ECS would run version 1.3."


def seen(at: float, function: Code, task: Code) -> Snapshot:
    return replace(examples.snapshot(at=at), versions=Reading.of(Versions(function, task), at - 300))


def test_other_code_and_a_low_maximum_are_cautions(browser_of: Client, beating: None, now: float) -> None:
    shown = seen(now, Code(version="1.4"), Code(version="1.3"))
    scaling = Reading.of(Scaling(Bounds(0, 1)), now)
    examples.application("checkout", replace(shown, scaling=scaling), failover_count=4)
    page = text(browser_of.get(PAGE))
    assert "This may fail when it is needed." in page
    assert page.count(OTHER_CODE) == 1
    assert "would start 4 tasks, and autoscaling has a maximum of 1" in page


def test_the_same_code_is_said_without_a_caution(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", seen(now, Code(version="1.4"), Code(version="1.4")))
    page = text(browser_of.get(PAGE))
    assert "Both pools have version 1.4." in page
    assert "Cautions" not in page


@pytest.mark.parametrize(
    ("problem", "says"), [("lambda:GetFunction was denied.", "unknown: lambda:GetFunction was denied."), (NOT_READ, "")]
)
def test_a_denial_is_shown_and_what_was_not_read_yet_is_not(
    browser_of: Client, beating: None, now: float, problem: str, says: str
) -> None:
    unknown: Reading[Versions] = Reading(problem=problem)
    examples.application("checkout", replace(examples.snapshot(at=now), versions=unknown))
    page = text(browser_of.get(PAGE))
    assert says in page
    assert ("Which code the pools have" in page) == bool(says)
    assert "Cautions" not in page


def test_what_a_tag_says_is_no_markup(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", seen(now, Code(version="<b>1.4"), Code(version="1.3")))
    body = browser_of.get(PAGE).content.decode()
    assert "&lt;b&gt;1.4" in body
    assert "<b>1.4" not in body


def test_cautions_of_long_ago_are_not_claimed(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", seen(now - 600, Code(version="1.4"), Code(version="1.3")))
    assert OTHER_CODE not in text(browser_of.get(PAGE))


def test_a_snapshot_from_before_an_upgrade_has_none(browser_of: Client, beating: None, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    row.stored_snapshot.body.pop("versions")
    row.stored_snapshot.body["service"]["value"].pop("task_definition")
    row.stored_snapshot.save()
    page = text(browser_of.get(PAGE))
    assert "Cautions" not in page
    assert "Tasks desired 0" in page
