"""Every word of a page that is ours can be translated: templates hold none outside the tags for it, and pages that are
made while each translation is marked show none without the mark.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.test import Client
from django.utils.translation import trans_real

from panel.fleet.models import Application
from panel.messages import catalogue
from panel.operations import services
from tests.panel.web import examples

TEMPLATES = sorted(settings.BASE_DIR.glob("templates/**/*.html"))
SHOWN = ("aria-label", "title", "placeholder", "alt")
VERBATIM = {"pre", "code", "kbd", "script", "style"}
# Names of things, which are the same in every language, and what a person types or AWS says.
SAME = re.compile(
    r"\b(?:Lambda|ECS|AWS|UTC|TOML|JSON|API|ARN|EventBridge|CloudWatch|IAM|Esc|Failover panel|vs|min|ms|CSV)\b|&\w+;"
)
BEFORE_DJANGO = "500.html"  # shown while nothing else can be relied on
OPEN, CLOSE = "⟦", "⟧"
MARKED = re.compile(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")


class Words(HTMLParser):
    """What a page says to people: its texts, and the attributes that are shown or read out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._verbatim = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._verbatim += tag in VERBATIM or ("class", "mono") in attrs
        self._inside = tag
        self.found += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        self._verbatim = max(0, self._verbatim - (tag in VERBATIM))

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self.found.append(data)


def untranslated(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts if re.search(r"[A-Za-z]{2,}", SAME.sub("", text))]


def literal(template: str) -> str:
    """The template without what its tags put in, and without what is translated already."""
    kept, translating = [], False
    for token in Lexer(template).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.contents.split()[0]
            translating = name == "blocktranslate" or (translating and name != "endblocktranslate")
        elif token.token_type is TokenType.TEXT and not translating:
            kept.append(token.contents)
    return "".join(kept)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_a_template_says_nothing_outside_the_tags_for_translation(path: Path) -> None:
    if path.name != BEFORE_DJANGO:
        assert untranslated(Words(literal(path.read_text(encoding="utf-8"))).found) == []


def test_a_word_that_was_forgotten_would_be_found() -> None:
    template = '<p title="Held by {{ owner }}">{% translate "Fleet" %} <b>Forgotten</b></p>'
    assert untranslated(Words(literal(template)).found) == ["Held by", "Forgotten"]


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext")
def test_translators_start_from_what_pages_say_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.chdir(settings.BASE_DIR)
    stored = (settings.BASE_DIR / "locale" / "django.pot").read_text(encoding="utf-8")
    assert catalogue(tmp_path) == stored, "run `make messages`"


class Marking(trans_real.DjangoTranslation):
    """A language in which every text of ours stands between brackets."""

    def __init__(self) -> None:
        super().__init__("en-gb")

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    language = Marking()
    monkeypatch.setattr(trans_real, "translation", lambda _: language)
    trans_real.activate("en-gb")
    yield
    trans_real.deactivate()


def unmarked(page: Any) -> list[str]:
    """The words that carry no mark. Data is in capitals and digits, so that what is left is ours."""
    said = "\0".join(Words(page.content.decode()).found)
    while MARKED.search(said):
        said = MARKED.sub("", said)
    left = [each.strip() for each in said.split("\0")]
    return [each for each in left if re.search(r"[a-z]{3,}", SAME.sub("", each)) and not DATA.search(each)]


# What people and AWS named, what has its name in files and in the API (`operation.start`, `ecs_ready`), and what the
# controller says of an operation: a record, which stays as it was written.
DATA = re.compile(
    r"^(?:ada|auto|observe|off|on-call|sa-east-1|concurrency|Payments|Default|http://\S+|Threshold crossed|acknowledge"
    r"|login|logout|done|denied|refused|HTTPS :443, default|\w+\.\w+|(?:\w+_\w+,? ?)+)$"
    r"|^(?:Desired count|Waiting for|Settling|Settle|Ask ECS|Weights|weights on|desired count|\d targets healthy)\b"
)


@pytest.fixture
def fleet(db: None, now: float) -> Application:
    """One application with everything that a page tells of one, and another that moves. Data is in capitals."""
    quiet = examples.application("checkout", examples.snapshot(at=now, concurrency=examples.wave(20)))
    Application.objects.update(name="CHECKOUT")
    examples.operation(quiet, reason="R", headline="H", error="E", status="failed")
    examples.hold(quiet)
    examples.refusal(quiet)
    moving = examples.application("payments", examples.snapshot(at=now))
    examples.operation(moving, reason="R", headline="H")
    services.set_kill_switch(on=True, by="BO", reason="R")
    return quiet


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=nothing",
        "/applications/checkout/",
        "/applications/checkout/failover/",
        "/applications/checkout/weights/",
        "/applications/checkout/hold/",
        "/applications/checkout/mode/",
        "/operations/",
        "/operations/1/",
        "/events/",
        "/refusals/",
        "/audit/",
        "/drills/",
        "/settings/applications/",
        "/settings/teams/",
        "/settings/teams/people/",
        "/settings/webhook-keys/",
        "/settings/tokens/",
        "/settings/notifications/",
        "/accounts/",
    ],
)
def test_a_page_says_nothing_that_can_t_be_translated(
    browser_of: Client, beating: None, fleet: Application, marked: None, path: str
) -> None:
    page = browser_of.get(path, follow=True)

    assert page.status_code == 200
    assert OPEN in page.content.decode()
    assert unmarked(page) == []
