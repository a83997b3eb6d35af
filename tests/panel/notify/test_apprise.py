"""Services by Apprise: what is let through, what is not, and that the guard holds deep inside of it."""

from __future__ import annotations

import json
import logging
import socket
import threading
from typing import Any

import pytest

from panel import outbound
from panel.notify import by_apprise, sending, wording
from panel.notify.models import Target
from panel.notify.sealing import seal
from tests.panel.receivers import Receiver, nobody

MESSAGE = wording.Message("id-1", "refused", "critical", "checkout: not started", "The mode is off.", {})


def target(url: str) -> Target:
    return Target(name="ops", way=Target.Way.APPRISE, address=seal(url))


def at(receiver: Receiver, schema: str = "json", path: str = "/t0ken") -> str:
    return receiver.url.replace("http", schema, 1) + path


def test_a_message_arrives_with_title_text_and_severity(receiver: Receiver) -> None:
    receiver.answers = [200]
    assert sending.send(target(at(receiver)), MESSAGE) == ""
    [heard] = receiver.heard
    body = json.loads(heard.body)
    assert (body["title"], body["message"], body["type"]) == ("checkout: not started", "The mode is off.", "failure")


def test_what_was_answered_is_told_without_the_token(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answers = [403]
    with caplog.at_level(logging.DEBUG):
        problem = sending.send(target(at(receiver)), MESSAGE)
    assert problem == "json://127.0.0.1/… answered 403."
    assert "t0ken" not in caplog.text


def test_who_does_not_listen_is_told() -> None:
    problem = sending.send(target(nobody().replace("http", "json", 1) + "/t0ken"), MESSAGE)
    assert problem == "json://127.0.0.1/… could not be reached, or did not take the message."


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [f"{receiver.url}/elsewhere"]
    assert sending.send(target(at(receiver)), MESSAGE) == "json://127.0.0.1/… answered 302."
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(
    "url",
    ["json://localhost/x", "mmost://169.254.169.254/abc/3ccdd113474722377935511fc85d3dd4",
     "ntfy://[::1]/topic", "xml://2130706433/", "rocket://u:p@[::ffff:127.0.0.1]/room"],
)  # fmt: skip
def test_hosts_that_people_type_are_judged(url: str, settings: Any) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ()
    with pytest.raises(outbound.Refused, match="PANEL_OUTBOUND_ALLOW"):
        by_apprise.check(url)
    assert "PANEL_OUTBOUND_ALLOW" in sending.send(target(url), MESSAGE)


def test_a_name_that_changes_after_the_check_is_judged_where_it_is_used(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is harmless, the one that Apprise's own library gets is loopback: it is refused there."""
    settings.PANEL_OUTBOUND_ALLOW = ()
    port = int(receiver.url.rpartition(":")[2])
    harmless = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("198.51.100.7", port))]
    loopback = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(outbound, "_resolve", lambda *_, **__: [(*harmless[0][:4], ("8.8.8.8", port))])
    monkeypatch.setattr(by_apprise, "_unjudged", lambda *_, **__: loopback)
    problem = sending.send(target(f"json://rebinding.example.com:{port}/x"), MESSAGE)
    assert problem.startswith("rebinding.example.com is 127.0.0.1, this machine itself")
    assert not receiver.heard


def test_other_threads_resolve_as_ever_while_something_is_sent(settings: Any) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ()
    by_apprise._library()
    found: list[Any] = []
    with by_apprise._sending():
        thread = threading.Thread(target=lambda: found.extend(socket.getaddrinfo("127.0.0.1", 80)))
        thread.start()
        thread.join()
        with pytest.raises(outbound.Refused):
            socket.getaddrinfo("127.0.0.1", 80)
    assert found
    assert socket.getaddrinfo("127.0.0.1", 80)


@pytest.mark.parametrize(
    "url", ["dbus://", "syslog://", "windows://", "macosx://", "gnome://", "file:///etc/passwd", "memory://", "blink1://",
            "apprise://host/token", "mqtt://host/topic", "http://example.com/", "nonsense", ""],
)  # fmt: skip
def test_what_speaks_to_this_machine_or_is_no_service_is_refused(url: str) -> None:
    with pytest.raises(by_apprise.NotAccepted, match=r"begin with one of .*slack://"):
        by_apprise.check(url)


@pytest.mark.parametrize(
    "name", ["template", "attach", "keyfile", "pgpkey", "redirect", "retry", "%74emplate", "%2Btemplate"]
)
def test_parameters_that_read_files_or_wait_are_refused(name: str) -> None:
    with pytest.raises(by_apprise.NotAccepted, match="out of the address"):
        by_apprise.check(f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops?{name}=/etc/passwd")


@pytest.mark.parametrize(
    "query", ["a=b;{}=x", "a=b;;{}=x", "a?{}=x", "%20{}=x", "{}%20=x", "%20%2B{}%09=x", "a=b&%0a{}=x", "{}"]
)
@pytest.mark.parametrize("name", ["redirect", "wkd", "pgppub", "pgpprv", "attach", "TEMPLATE"])
def test_they_are_found_however_apprise_would_find_them(query: str, name: str) -> None:
    with pytest.raises(by_apprise.NotAccepted, match="out of the address"):
        by_apprise.check(f"mailto://me:hunter2@mail.example.com?to=ops@example.com&{query.format(name)}")


def test_what_apprise_would_take_as_a_parameter_is_seen() -> None:
    """Whatever way it reads them in a later release, no name of its reading is hidden from ours."""
    from apprise.utils.parse import parse_url  # noqa: PLC0415 - loading it takes a second

    url = "json://hooks.example.com/a?x=1;redirect=yes& rto =3&+x-h=1&:m=2&-g=3"
    taken = {name.lstrip("+-:") for name in parse_url(url)["qsd"]}
    assert {"redirect", "rto"} <= taken <= by_apprise._parameters(url)


def test_an_address_that_apprise_can_not_read_is_a_sentence() -> None:
    with pytest.raises(by_apprise.NotAccepted, match=r"no address for Slack: its form is at https://appriseit\.com"):
        by_apprise.check("slack://short")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops", "slack://…"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "tgram://…"),
        ("ntfy://topic-as-good-as-a-password", "ntfy://…"),
        ("ntfys://me:hunter2@ntfy.example.com/topic", "ntfys://ntfy.example.com/…"),
        ("mailto://me:hunter2@example.com?to=oncall@example.com", "mailto://example.com/…"),
        ("json://me:hunter2@hooks.example.com:8443/t0ken", "json://hooks.example.com/…"),
    ],
)
def test_what_is_shown_holds_no_secret(url: str, shown: str) -> None:
    assert by_apprise.shown(url) == shown
