"""The audit trail's page and what is downloaded from it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from panel import audit
from panel.audit import Action, Outcome
from panel.audit.models import Entry
from panel.audit.origin import Origin, coming_from
from tests.panel.web import examples

PAGE = "/audit/"


@pytest.fixture
def entries(db: None) -> None:
    """One of each kind that the page tells apart, oldest first."""
    examples.application("checkout")
    audit.record(Action.LOGIN, actor="ada")
    audit.record(
        Action.MODE_SET,
        application="checkout",
        actor="ada",
        before={"mode": "auto"},
        after={"mode": "off"},
        reason="a deploy",
    )
    audit.record(
        Action.OPERATION_START, outcome=Outcome.REFUSED, application="gone", actor="bo", after={"rule": "hold"}
    )
    with coming_from(Origin(address="192.0.2.7")):
        audit.record(Action.DENIED, outcome=Outcome.DENIED, subject="webhook", after={"count": 40})


def text(response: Any) -> str:
    body = response.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("&#x27;", "'")


def shown(response: Any) -> list[str]:
    """The actions in the table, from the top."""
    return re.findall(r'<span class="mono nowrap">([^<]+)<', response.content.decode())


def test_the_newest_is_first_with_what_changed_and_why(browser_of: Client, entries: None) -> None:
    page = browser_of.get(PAGE)

    assert shown(page) == ["denied", "operation.start", "mode.set", "login"]
    assert "mode auto → off “a deploy”" in text(page)
    assert "nobody known 192.0.2.7" in text(page)
    assert 'href="/applications/checkout/"' in page.content.decode()
    assert 'href="/applications/gone/"' not in page.content.decode(), "it is no application any more"


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("application=checkout", ["mode.set"]),
        ("actor=ada", ["mode.set", "login"]),
        ("action=login", ["login"]),
        ("outcome=refused", ["operation.start"]),
        ("actor=ada&action=mode.set&outcome=&application=", ["mode.set"]),
        ("actor=bo&action=login", []),
        ("action=nonsense", []),
    ],
)
def test_filters_leave_what_fits(browser_of: Client, entries: None, query: str, actions: list[str]) -> None:
    page = browser_of.get(f"{PAGE}?{query}")

    assert shown(page) == actions
    assert ("None that fits these filters" in text(page)) == (not actions)


def test_an_empty_trail_says_what_will_show_there(browser_of: Client) -> None:
    assert "None yet. Logins, operations" in text(browser_of.get(PAGE))


def test_fifty_a_page_and_the_next_keeps_the_filters(browser_of: Client) -> None:
    for _ in range(53):
        audit.record(Action.LOGIN, actor="ada")
    audit.record(Action.LOGIN, actor="bo")

    first = browser_of.get(f"{PAGE}?actor=ada&action=login")
    link = re.search(r'href="(\?[^"]+)" rel="next"', first.content.decode())
    assert link
    second = browser_of.get(PAGE + link[1].replace("&amp;", "&"))

    assert (len(shown(first)), len(shown(second))) == (50, 3)
    assert 'value="ada"' in second.content.decode()


def test_a_refresh_gets_only_what_is_inside(browser_of: Client, entries: None) -> None:
    piece = browser_of.get(f"{PAGE}?actor=bo", headers={"HX-Request": "true"})

    assert b"<html" not in piece.content
    assert shown(piece) == ["operation.start"]


def test_it_needs_a_login(client: Client, entries: None) -> None:
    for path in (PAGE, "/audit/audit.csv", "/audit/audit.json"):
        assert client.get(path).url == f"/accounts/login/?next={path}"  # type: ignore[attr-defined]


def test_what_came_from_outside_is_escaped(browser_of: Client) -> None:
    audit.record(Action.LOGIN_FAILED, subject="<script>alert(1)</script>", after={"<b>": "<i>"})

    page = browser_of.get(PAGE).content.decode()

    assert "<script>alert" not in page
    assert "<i>" not in page


def test_a_page_costs_the_same_whatever_is_on_it(
    browser_of: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(50):
        examples.application(f"app-{number}")
        audit.record(Action.MODE_SET, application=f"app-{number}", actor="ada")

    with django_assert_max_num_queries(6):
        browser_of.get(PAGE)


# ---- downloads ----


def body(response: Any) -> str:
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def test_the_filtered_list_as_csv(browser_of: Client, entries: None) -> None:
    response = browser_of.get("/audit/audit.csv?actor=ada")
    rows = list(csv.DictReader(io.StringIO(body(response))))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-')
    assert [row["action"] for row in rows] == ["mode.set", "login"]
    assert json.loads(rows[0]["before"]) == {"mode": "auto"}
    assert rows[0]["previous_hash"] == rows[1]["hash"]


def test_the_filtered_list_as_json(browser_of: Client, entries: None) -> None:
    found = json.loads(body(browser_of.get("/audit/audit.json?application=checkout")))

    assert [(each["action"], each["after"]) for each in found] == [("mode.set", {"mode": "off"})]
    assert found[0]["hash"] == Entry.objects.get(action="mode.set").hash


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_nothing_to_download_is_still_a_file(browser_of: Client, kind: str) -> None:
    said = body(browser_of.get(f"/audit/audit.{kind}"))

    assert json.loads(said) == [] if kind == "json" else said.count("\n") == 1


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1"])
def test_a_spreadsheet_runs_nothing_that_came_from_outside(browser_of: Client, formula: str) -> None:
    audit.record(Action.LOGIN_FAILED, subject=formula, actor=formula)

    [row] = csv.DictReader(io.StringIO(body(browser_of.get("/audit/audit.csv"))))

    assert row["subject"] == f"'{formula}"
    assert row["actor"] == f"'{formula}"
