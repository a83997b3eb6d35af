"""docs/runbook.md answers for every name that the product can show at three in the morning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import named

TEXT = (named.ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+)\n\n((?:(?!^#).*\n?)+)", TEXT, re.MULTILINE))


def section(name: str) -> str:
    """The text below the heading that has this name."""
    return "".join(text for heading, text in SECTIONS.items() if f"`{name}`" in heading)


@pytest.mark.parametrize("name", sorted(named.rules()))
def test_every_rule_has_a_section_with_what_to_do(name: str) -> None:
    assert len(section(name)) > 60, f"docs/runbook.md has no section for the rule {name}"


@pytest.mark.parametrize("name", sorted(named.readiness_parts()))
def test_every_part_that_readyz_names_has_a_section(name: str) -> None:
    assert len(section(name)) > 60, f"docs/runbook.md has no section for the part {name}"


def test_every_notification_has_a_section() -> None:
    """One test for all: there is none before there are notifications."""
    assert {name for name in named.kinds() if not section(name)} == set()


@pytest.mark.parametrize("name", sorted(named.alerts()))
def test_every_alert_has_a_section(name: str) -> None:
    assert section(name), f"docs/runbook.md has no section for the alert {name}"


def test_names_are_read_from_the_code_and_not_from_nowhere() -> None:
    """A net with holes would catch nothing: some that are known are caught."""
    assert {"kill_switch", "plan_changed", "capacity", "only_weights", "fail_closed", "people_first"} <= named.rules()
    assert {"database", "worker", "heartbeat_url"} <= named.readiness_parts()
    assert "PanelIsGone" in named.alerts()


def anchor(heading: str) -> str:
    """As the sites that show Markdown make one of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


DOCUMENTS = [*sorted((named.ROOT / "docs").glob("*.md")), named.ROOT / "README.md", named.ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, fragment = target.partition("#")
        if "://" in target:
            continue
        file = document.parent / path if path else document
        found = file.exists() and (
            not fragment or fragment in map(anchor, re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE))
        )
        broken += [] if found else [target]
    assert broken == []


def test_the_index_leads_to_every_document() -> None:
    index = (named.ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in (named.ROOT / "docs").glob("*.md") if f"({path.name}" not in index} == {"README.md"}
