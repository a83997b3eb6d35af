"""The arithmetic behind docs/scale.md, and that the page shows it."""

from pathlib import Path

from bench.capacity import SAMPLES, Needs, markdown
from bench.hundred import ENOUGH
from panel.fleet import history


def test_the_page_shows_what_the_command_prints() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    assert markdown() in page, "run python -m bench.capacity and paste its table"


def test_what_is_kept_is_what_the_panel_keeps() -> None:
    assert dict(SAMPLES) == {each: kept.days for each, kept in history.KEPT.items()}


def test_a_thousand_applications_need_what_the_simulation_ran_a_hundred_failovers_with() -> None:
    needs = Needs(1000, 5)
    assert needs.stepping == ENOUGH.processes
    assert needs.stepping_threads <= ENOUGH.processes * ENOUGH.threads
