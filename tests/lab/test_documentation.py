"""docs/lab.md says what there is: every call, switch, accident, scenario and key by its name, and tests that exist."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lab import api, worldfile
from lab.accidents import ACCIDENTS
from lab.conditions import CONDITIONS
from lab.faults import BY_NAME
from lab.iam import RoleTable, UserTable
from lab.scenario import NAMES, PHASES, EndTable, Scenario, StepTable, parse
from lab.tables import read_text
from lab.worldfile import WorldTable

HERE = Path(__file__).parent
TEXT = (HERE.parents[1] / "docs" / "lab.md").read_text(encoding="utf-8")
CALLS = [f"{service}:{name}" for service, names in api.answered().items() for name in sorted(names)]
TABLES = [each for each in vars(worldfile).values() if isinstance(each, type) and each.__name__.endswith("Table")]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_a_row_that_says_how_faithful_it_is(call):
    (row,) = [line for line in TEXT.splitlines() if line.startswith("|") and f"`{call}`" in line]
    assert row.split("|")[2].strip() in {"faithful", "simplified"}


def test_no_call_is_listed_that_the_lab_does_not_answer():
    listed = re.findall(r"`([a-z0-9-]+:[A-Z]\w+)`", TEXT.partition("## Call by call")[2])
    assert set(listed) == set(CALLS)


@pytest.mark.parametrize("name", [*BY_NAME, *ACCIDENTS, *NAMES, *CONDITIONS, *PHASES])
def test_every_name_that_can_be_used_is_there(name):
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("table", [*TABLES, UserTable, RoleTable, Scenario, StepTable, EndTable])
def test_every_key_of_a_file_is_there(table):
    missing = [each.name for each in fields(table) if not re.search(rf"\b{each.name.rstrip('_')}\b", TEXT)]
    assert missing == []


def test_the_examples_can_be_used():
    scenario, world, people = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert parse(scenario, "the example").title == "Capacity comes late"
    table = read_text(WorldTable, world + people, "the example")
    assert list(table.applications) == ["checkout"]
    assert list(table.roles) == ["failover"]


def test_the_tables_of_the_example_have_the_defaults():
    (world,) = re.findall(r"```toml\n(region.*?)```", TEXT, re.DOTALL)
    table = read_text(WorldTable, world, "the example")
    application, default = table.applications["checkout"], read_text(WorldTable, "[applications.checkout]", "a default")
    plain = default.applications["checkout"]
    assert (application.function, application.task, application.weights) == (plain.function, plain.task, plain.weights)
    assert (table.node_delays_seconds, table.unknown_keys) == (default.node_delays_seconds, default.unknown_keys)


def test_every_test_that_is_named_exists():
    named = re.findall(r"`((?:wire/)?test_\w+\.py)::(test_\w+)`", TEXT)
    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (HERE / file).read_text(encoding="utf-8"), test
