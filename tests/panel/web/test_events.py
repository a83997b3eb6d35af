"""One event's page: what was delivered, what became of it, and nothing of it that could pass for ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from panel.accounts.models import Membership, Team
from panel.ingest.models import Event
from panel.web.events import MOST_SHOWN, pretty
from tests.panel.web import examples


def text(response: object) -> str:
    body = response.content.decode()  # type: ignore[attr-defined]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)))


def stored(**columns: object) -> Event:
    return Event.objects.create(**({"event_id": "e-1", "detail_type": "x", "body": {"a": 1}} | columns))


def test_it_tells_what_became_of_it_for_each_application_and_why(browser_of: Client) -> None:
    now = datetime.now(UTC)
    event = stored(
        alarm_name="busy",
        alarm_state="ALARM",
        status="processed",
        happened_at=now - timedelta(seconds=3),
        processed_at=now,
        outcome="checkout: Started failover #1: the reason: a colon\nsearch: No failover was started (hold): deploying",
        deliveries=3,
        request_id="abc123",
    )
    event.applications.add(*(examples.application(slug) for slug in ("checkout", "search", "late")))
    page = text(browser_of.get(f"/events/{event.pk}/"))
    assert "busy ALARM" in page
    assert "Checkout Started failover #1: the reason: a colon." in page
    assert "Search No failover was started (hold): deploying." in page
    assert "Late Nothing yet." in page
    assert "3 the first one counted" in page
    assert "request abc123" in page


def test_the_list_leads_to_it(browser_of: Client) -> None:
    event = stored()
    assert f'href="/events/{event.pk}/"' in browser_of.get("/events/").content.decode()


def test_an_event_of_nobody_says_so(browser_of: Client) -> None:
    event = stored(status="unmatched", outcome="No application of this panel listens to it.")
    assert "No application of this panel listens to it." in text(browser_of.get(f"/events/{event.pk}/"))


def test_its_body_is_shown_as_text(browser_of: Client) -> None:
    event = stored(body={"<script>alert(1)</script>": ["é", "\u202eevil", "\x07"]})
    page = browser_of.get(f"/events/{event.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "é" in page
    assert "\\u202eevil" in page
    assert "\u202e" not in page


def test_a_very_long_body_is_cut(browser_of: Client) -> None:
    event = stored(body={"a": "x" * (MOST_SHOWN + 1000)})
    page = text(browser_of.get(f"/events/{event.pk}/"))
    assert "more characters are not shown" in page
    assert len(page) < MOST_SHOWN + 3000


@pytest.mark.django_db
def test_what_is_no_event_is_not_found_and_nobody_reads_one_without_a_login(browser_of: Client) -> None:
    event = stored()
    assert browser_of.get("/events/999/").status_code == 404
    assert browser_of.post(f"/events/{event.pk}/").status_code == 405
    assert Client().get(f"/events/{event.pk}/").status_code == 302


@pytest.mark.django_db
def test_another_teams_part_of_an_event_is_not_told(client: Client) -> None:
    ours, theirs = examples.application("ours"), examples.application("theirs")
    team = Team.objects.create(slug="payments", name="Payments")
    type(ours).objects.filter(pk=ours.pk).update(team=team)
    ana = User.objects.create_user("ana")
    Membership.objects.create(user=ana, team=team, role="viewer")
    both = stored(event_id="both", status="processed", outcome="ours: Nothing to do\ntheirs: A secret of theirs")
    both.applications.set([ours, theirs])
    foreign = stored(event_id="foreign")
    foreign.applications.set([theirs])
    client.force_login(ana)
    page = text(client.get(f"/events/{both.pk}/"))
    assert "Nothing to do." in page
    assert "secret of theirs" not in page
    assert client.get(f"/events/{foreign.pk}/").status_code == 404


def test_pretty_text_can_be_read_back() -> None:
    assert pretty({"a": ["\u200b", "ü"]}) == '{\n  "a": [\n    "\\u200b",\n    "ü"\n  ]\n}'


def test_an_application_s_page_shows_its_last_events_and_what_became_of_each(browser_of: Client) -> None:
    checkout, search = examples.application("checkout"), examples.application("search")
    both = stored(alarm_name="busy", alarm_state="ALARM", outcome="checkout: Failover #1 started.\nsearch: Held.")
    both.applications.add(checkout, search)
    stored(event_id="e-2", alarm_name="other").applications.add(search)

    page = text(browser_of.get("/applications/checkout/"))

    assert "busy ALARM Failover #1 started." in page
    assert "Held." not in page
    assert "other" not in page


def test_the_list_shows_one_application_s_events_alone(browser_of: Client) -> None:
    stored(alarm_name="busy").applications.add(examples.application("checkout"))
    stored(event_id="e-2", alarm_name="other").applications.add(examples.application("search"))

    page = text(browser_of.get("/events/?application=checkout"))

    assert "Those of Checkout alone." in page
    assert "busy" in page
    assert "other" not in page
    assert "other" in text(browser_of.get("/events/?application=nobody-s"))
