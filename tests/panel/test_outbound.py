"""What the panel asks where people typed the address, and what it never asks."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from panel import outbound
from tests.panel.receivers import Receiver, nobody, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def loopback_allowed(settings: Any) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ("127.0.0.0/8",)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names resolve to the next of `answers` each time that one is asked for; which were, is in the list."""
    asked, left = [], list(answers)

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(outbound, "_resolve", resolve)
    return asked


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1/", "127.0.0.1, this machine itself"),
        ("http://localhost:8000/x", "localhost is"),
        ("http://2130706433/", "2130706433 is 127.0.0.1, this machine itself"),
        ("http://0177.0.0.1/", "0177.0.0.1 is 127.0.0.1, this machine itself"),
        ("http://0x7f.1/", "0x7f.1 is 127.0.0.1, this machine itself"),
        ("http://0/", "0 is 0.0.0.0, this machine itself"),
        ("http://[::1]/", "::1, this machine itself"),
        ("http://[::]/", "::, this machine itself"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1 is 127.0.0.1, this machine itself"),
        ("http://[::ffff:a9fe:a9fe]/", "is 169.254.169.254, a cloud's metadata service"),
        ("http://[64:ff9b::a9fe:a9fe]/", "is 169.254.169.254, a cloud's metadata service"),
        ("http://[2002:7f00:1::]/", "is 127.0.0.1, this machine itself"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, a cloud's metadata service"),
        ("http://169.254.170.2/v2/credentials", "169.254.170.2, a link-local address"),
        ("http://[fd00:ec2::254]/latest/", "fd00:ec2::254, a cloud's metadata service"),
        ("http://[fd00:ec2::23]/v1/credentials", "fd00:ec2::23, a cloud's metadata service"),
        ("http://[fe80::1]/", "fe80::1, a link-local address"),
        ("http://100.100.100.200/", "100.100.100.200, a cloud's metadata service"),
        ("http://224.0.0.1/", "224.0.0.1, a multicast address"),
        ("http://255.255.255.255/", "255.255.255.255, a reserved address"),
        ("http://[ff02::1]/", "ff02::1, a multicast address"),
    ],
)
def test_the_panel_itself_and_metadata_are_never_asked_however_they_are_written(url: str, told: str) -> None:
    for ask in (outbound.check, lambda url: outbound.request("GET", url)):
        with pytest.raises(outbound.Refused) as refused:
            ask(url)
        assert told in str(refused.value)
        assert "PANEL_OUTBOUND_ALLOW" in str(refused.value)


@pytest.mark.parametrize("address", ["10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.3.3", "fd12::7", "8.8.8.8"])
def test_private_and_public_networks_may_be_asked(address: str) -> None:
    outbound.judge("internal.example.com", address)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://x/", "//example.com", "http://", "http://[bad", "", "http://h:x/",
     "http://example.com/a b", "http://example.com/\r\nX: y", "http://exämple.com/"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(outbound.Refused, match=r"addresses like https://host\.example\.com/path"):
        outbound.check(url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(outbound.Refused, match="Leave name and password out") as refused:
        outbound.check("https://me:hunter2@example.com/")
    assert "hunter2" not in str(refused.value)


def test_a_name_that_resolves_to_loopback_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.1")
    with pytest.raises(outbound.Refused, match=r"^nice\.example\.com is 127\.0\.0\.1, this machine itself"):
        outbound.request("GET", "http://nice.example.com/")


@pytest.mark.usefixtures("loopback_allowed")
def test_the_address_that_was_judged_is_the_one_that_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently the second time is not asked a second time."""
    asked = resolving(monkeypatch, "127.0.0.1", "169.254.169.254")
    port = urlsplit(receiver.url).port
    answer = outbound.request("POST", f"http://rebinding.example.com:{port}/hook?a=1", body=b"told")
    assert (answer.status, answer.ok, asked) == (204, True, ["rebinding.example.com"])
    [heard] = receiver.heard
    assert (heard.path, heard.body, heard.headers["Host"]) == ("/hook?a=1", b"told", f"rebinding.example.com:{port}")


@pytest.mark.usefixtures("loopback_allowed")
def test_a_redirect_to_metadata_is_an_answer_and_goes_nowhere(receiver: Receiver) -> None:
    receiver.answers = ["http://169.254.169.254/latest/meta-data/"]
    answer = outbound.request("GET", receiver.url)
    assert (answer.status, answer.ok, len(receiver.heard)) == (302, False, 1)


@pytest.mark.usefixtures("loopback_allowed")
def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody())
    assert outbound.request("GET", receiver.url).status == 204


@pytest.mark.usefixtures("loopback_allowed")
@pytest.mark.parametrize("answer", [0, -1])
def test_silence_and_a_byte_now_and_then_end_at_the_time_limit(receiver: Receiver, answer: int) -> None:
    receiver.answers = [answer]
    with pytest.raises(outbound.Failed, match=r"127\.0\.0\.1 did not answer within 0\.2 s\."):
        outbound.request("GET", receiver.url, seconds=0.2)


@pytest.mark.usefixtures("loopback_allowed")
def test_only_the_beginning_of_a_large_answer_is_read(receiver: Receiver) -> None:
    receiver.answers = [200]
    assert outbound.request("GET", receiver.url, most_bytes=100).body == b"x" * 100


@pytest.mark.usefixtures("loopback_allowed")
def test_failures_are_sentences_that_show_nothing_of_the_path() -> None:
    with pytest.raises(outbound.Failed, match=r"^127\.0\.0\.1 refused the connection: nothing listens there\.$"):
        outbound.request("GET", f"{nobody()}/secret-token")


def test_a_name_that_does_not_resolve_fails_when_asked_and_passes_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(outbound, "_resolve", unknown)
    outbound.check("https://soon.example.com/")
    with pytest.raises(outbound.Failed, match=r"^soon\.example\.com is no name that resolves"):
        outbound.request("GET", "https://soon.example.com/")


def test_a_server_without_a_trusted_certificate_is_not_told(receiver: Receiver, settings: Any) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ("127.0.0.1/32",)
    with pytest.raises(outbound.Failed, match=r"^127\.0\.0\.1 "):
        outbound.request("GET", receiver.url.replace("http:", "https:"), seconds=1)
    assert not receiver.heard


def test_a_host_may_be_allowed_by_name(receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ("lab.example.com",)
    resolving(monkeypatch, "127.0.0.1")
    port = urlsplit(receiver.url).port
    assert outbound.request("GET", f"http://Lab.example.com:{port}/").status == 204
    with pytest.raises(outbound.Refused):
        outbound.request("GET", f"http://other.example.com:{port}/")
