"""Writes the policies of the templates and docs/permissions.md out of failover/permissions.toml.

python -m infra.policies                                  writes them anew
python -m infra.policies --check                          exit status 1, with their names, where one differs
python -m infra.policies checkout.toml                    prints the policy of one application's controller
python -m infra.policies checkout.toml --access observe   prints what reading alone needs
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from failover import config, permissions
from failover.config import ConfigError
from failover.permissions import Access, Permission, Places

HERE = Path(__file__).parent
DOCUMENTATION = HERE.parent / "docs" / "permissions.md"
BEGIN, END = "# begin permissions", "# end permissions"  # around what is written here, in a template
TABLE_BEGIN, TABLE_END = "<!-- begin permissions -->", "<!-- end permissions -->"

_PARAMETER = re.compile(r"\$\{\w+\}")

# What the placeholders are in a template: parameters and pseudo parameters of CloudFormation.
PARAMETERS: Places = {
    "partition": ("${AWS::Partition}",),
    "region": ("${AWS::Region}",),
    "account": ("${AWS::AccountId}",),
    "slug": ("${Slug}",),
    "cluster": ("${Cluster}",),
    "service": ("${Service}",),
    "function": ("${FunctionName}",),
    "lease_table": ("${LeaseTable}",),
    "rule_routes": ("!Ref RuleArns",),
    "listener_routes": ("!Ref ListenerArns",),
}


@dataclass(frozen=True)
class Block:
    """A template's policy. `conditions` are the template's conditions by what an application may have: what is not
    among them is granted always.
    """

    access: tuple[Access, ...]
    conditions: Mapping[str, str] = field(default_factory=dict)


_ROUTES = {"rule_route": "HasRules", "listener_route": "HasListeners", "scalable_target": "HasScalableTarget"}
CONTROL = (Access.OBSERVE, Access.CHECK, Access.CONTROL)
TEMPLATES = {
    "connect.yaml": Block(CONTROL, {**_ROUTES, "lease_table": "HasLeaseTable"}),
    "controller.yaml": Block(CONTROL, _ROUTES),
}


class MarkerError(Exception):
    """A file has no place for what belongs in it; the message says which marker is missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        if given.application:
            print(json.dumps(_asked(given), indent=2))  # noqa: T201 - what the command is for
            return 0
        return _check() if given.check else _write()
    except (ConfigError, MarkerError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.policies", description="Policies out of the one table.")
    parser.add_argument("application", nargs="?", help="an application's TOML: print its policy instead")
    parser.add_argument("--access", choices=("control", "check", "observe"), default="control", help="default: control")
    parser.add_argument("--no-scalable-target", action="store_true", help="its ECS service has none")
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 where something differs")
    return parser


def _asked(given: argparse.Namespace) -> dict[str, Any]:
    application = config.load(given.application)
    return permissions.policy_for(application, Access(given.access), scalable_target=not given.no_scalable_target)


def written() -> Iterator[tuple[Path, str]]:
    """Each file with what it should hold. Raises MarkerError."""
    for name, block in TEMPLATES.items():
        yield HERE / name, _between(HERE / name, BEGIN, END, partial(statements, block))
    yield DOCUMENTATION, _between(DOCUMENTATION, TABLE_BEGIN, TABLE_END, lambda _: ["", permissions.markdown(), ""])


def _write() -> int:
    for path, text in written():
        path.write_text(text, encoding="utf-8")
    return 0


def _check() -> int:
    different = [path for path, text in written() if path.read_text(encoding="utf-8") != text]
    for path in different:
        print(f"{path} differs from failover/permissions.toml: run python -m infra.policies.", file=sys.stderr)  # noqa: T201
    return 1 if different else 0


def _between(path: Path, begin: str, end: str, lines: Callable[[str], list[str]]) -> str:
    """The file's text with these lines between its markers; they are given the indentation of the first one."""
    old = path.read_text(encoding="utf-8").splitlines()
    try:
        first = next(i for i, line in enumerate(old) if line.strip().startswith(begin))
        last = next(i for i, line in enumerate(old) if i > first and line.strip().startswith(end))
    except StopIteration:
        raise MarkerError(f"{path} has no lines {begin!r} and {end!r} around what is written there.") from None
    indent = old[first][: len(old[first]) - len(old[first].lstrip())]
    return "\n".join([*old[: first + 1], *lines(indent), *old[last:]]) + "\n"


def statements(block: Block, indent: str = "") -> list[str]:
    """The block's statements as lines of a template."""
    by_condition: dict[str, list[Permission]] = {}
    for each in permissions.of(*block.access):
        by_condition.setdefault(block.conditions.get(each.when, ""), []).append(each)
    lines: list[str] = []
    for condition, chosen in by_condition.items():
        for statement in permissions.statements(chosen, PARAMETERS):
            lines += _conditional(condition, _yaml(statement)) if condition else _item(_yaml(statement))
    return [indent + line for line in lines]


def _conditional(condition: str, statement: list[str]) -> list[str]:
    inner = [f"- {condition}", *_item(statement), "- !Ref AWS::NoValue"]
    return ["- !If", *(f"  {line}" for line in inner)]


def _item(lines: list[str]) -> list[str]:
    return [f"{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]


def _yaml(value: Mapping[str, Any]) -> list[str]:
    """A statement as YAML: mappings, lists of texts, and texts."""
    lines: list[str] = []
    for key, each in value.items():
        if isinstance(each, Mapping):
            lines += [f"{key}:", *(f"  {line}" for line in _yaml(each))]
        elif isinstance(each, list):
            lines += [f"{key}:", *(f"  - {_text(item)}" for item in each)]
        else:
            lines.append(f"{key}: {_text(each)}")
    return lines


def _text(value: str) -> str:
    if value.startswith("!Ref "):
        return value
    if _PARAMETER.fullmatch(value):
        return f"!Ref {value[2:-1]}"
    return f"!Sub {value}" if "${" in value else f'"{value}"' if value == "*" else value


if __name__ == "__main__":
    sys.exit(main())
