"""docs/security.md names, for what it says is stopped, tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/.]+?\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_each_test_that_it_names_exists(path: str, name: str) -> None:
    found = {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert not name or name in found


def test_each_line_of_the_table_names_one() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and "attack | what" not in line]
    assert len(lines) > 40
    assert [line for line in lines if "`tests/" not in line] == []
