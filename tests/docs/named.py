"""The names that the code can show to an operator, read from the code itself."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from failover.rules import RULES
from panel.watch import readiness

ROOT = Path(__file__).parents[2]
KINDS = ROOT / "panel" / "notify" / "kinds.toml"
# Functions and classes whose call refuses or stops something, with the place of the rule among their arguments.
REFUSING = {"failover": {"Refused": 1, "RuleViolation": 0}, "panel": {"Refused": 0}}


def rules() -> set[str]:
    """Every rule by which something can be refused or stopped."""
    found = set(RULES) | {"only_weights"}
    for package, places in REFUSING.items():
        for path in (ROOT / package).rglob("*.py"):
            found |= set(_rules_in(ast.parse(path.read_text(encoding="utf-8")), places))
    return found


def _rules_in(tree: ast.AST, places: dict[str, int]) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "rule"]
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in places:
            given += _places(node, name, tree, places[name])
        for each in given:
            value = constants.get(each.id) if isinstance(each, ast.Name) else getattr(each, "value", None)
            if isinstance(value, str) and re.fullmatch(r"[a-z_]+", value):
                yield value


def _places(call: ast.Call, _name: str, tree: ast.AST, place: int) -> list[ast.expr]:
    """The panel has both kinds of `Refused`; the controller's takes the goal first."""
    from_controller = any(
        isinstance(node, ast.ImportFrom) and (node.module or "").startswith("failover")
        and any(alias.name == "Refused" for alias in node.names)
        for node in ast.walk(tree)
    )  # fmt: skip
    place = 1 if from_controller else place
    return [call.args[place]] if len(call.args) > place else []


def readiness_parts() -> set[str]:
    """Every part that `/readyz` may name: what it says in code, whatever is well just now."""
    text = Path(readiness.__file__).read_text(encoding="utf-8")
    return {"database", "migrations", "broker", "worker", "beat", "observer"} | set(
        re.findall(r'\{"([a-z_]+)": Part\(', text)
    )


def kinds() -> set[str]:
    """What people are told of."""
    return set(tomllib.loads(KINDS.read_text(encoding="utf-8"))) if KINDS.exists() else set()


def alerts() -> set[str]:
    """Alerts that docs/observability.md proposes for Prometheus."""
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    return set(re.findall(r"- alert: (\w+)", text))
