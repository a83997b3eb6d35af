"""A CloudFormation template resolved as CloudFormation does: parameters, rules, conditions, intrinsic functions.

Source: CloudFormation Template Reference, "Intrinsic functions", "Pseudo parameters", "Rules". What is not known here
raises, so that nothing in a template goes unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).parents[2] / "infra"
ACCOUNT, REGION = "123456789012", "eu-west-1"
NO_VALUE = object()
_SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Conditions", "Resources", "Outputs",
}  # fmt: skip
_RESOURCE = {"Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
_PARAMETER = {
    "Type", "Default", "Description", "AllowedPattern", "AllowedValues", "ConstraintDescription", "MinValue",
    "MaxValue", "MinLength",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(?P<id>[^:{}]+|arn:[^{}]+?):SecretString:::(?P<version>[^:{}]*)\}\}")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: Any, tag: str, node: Any) -> Any:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    key: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
    for key, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(name: str) -> dict[str, Any]:
    document = yaml.load((TEMPLATES / name).read_text(encoding="utf-8"), _Loader)
    assert set(document) <= _SECTIONS, set(document) - _SECTIONS
    return document


class ParameterError(Exception):
    """CloudFormation would refuse these parameters."""


@dataclass
class Made:
    """A resource that was created: what Ref gives, what GetAtt gives."""

    ref: str
    attributes: dict[str, str] = field(default_factory=dict)


class Stack:
    """A template with its parameters; `made` grows as resources are created. `secrets` are those of Secrets Manager."""

    def __init__(
        self, template: str | dict[str, Any], parameters: dict[str, str], secrets: dict[str, str] | None = None
    ) -> None:
        self.document = load(template) if isinstance(template, str) else template
        self.secrets = secrets or {}
        self.parameters = self._parameters(parameters)
        self.made: dict[str, Made] = {}
        self._conditions = self.document.get("Conditions", {})
        self._check_rules()

    # ---- parameters ----

    def _parameters(self, given: dict[str, str]) -> dict[str, Any]:
        declared = self.document["Parameters"]
        if unknown := set(given) - set(declared):
            raise ParameterError(f"Parameters {unknown} do not exist in the template")
        return {name: self._parameter(name, each, given) for name, each in declared.items()}

    def _parameter(self, name: str, declared: dict[str, Any], given: dict[str, str]) -> Any:
        assert set(declared) <= _PARAMETER, (name, set(declared) - _PARAMETER)
        if name not in given and "Default" not in declared:
            raise ParameterError(f"Parameter {name} must have a value")
        value = str(given.get(name, declared.get("Default")))
        if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
            raise ParameterError(f"{name}: {value!r} does not match {declared['AllowedPattern']}")
        if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
            raise ParameterError(f"{name}: {value!r} is none of {declared['AllowedValues']}")
        if not declared.get("MinLength", 0) <= len(value):
            raise ParameterError(f"{name}: {value!r} is too short")
        return self._typed(name, declared, value)

    def _typed(self, name: str, declared: dict[str, Any], value: str) -> Any:
        if declared["Type"] == "Number":
            low, high = declared.get("MinValue", float("-inf")), declared.get("MaxValue", float("inf"))
            if not low <= float(value) <= high:
                raise ParameterError(f"{name}: {value} is not {low} to {high}")
            return value
        if declared["Type"] == "CommaDelimitedList":
            return [each.strip() for each in value.split(",")]
        assert declared["Type"] == "String", declared["Type"]
        return value

    def _check_rules(self) -> None:
        for name, rule in self.document.get("Rules", {}).items():
            assert set(rule) <= {"RuleCondition", "Assertions"}
            if not self.resolve(rule.get("RuleCondition", True)):
                continue
            for each in rule["Assertions"]:
                if not self.resolve(each["Assert"]):
                    raise ParameterError(f"{name}: {each['AssertDescription']}")

    # ---- resources ----

    def resources(self) -> dict[str, dict[str, Any]]:
        """Those that are made, each after what it depends on."""
        wanted = {}
        for name, each in self.document["Resources"].items():
            assert set(each) <= _RESOURCE, (name, set(each) - _RESOURCE)
            if "Condition" not in each or self.condition(each["Condition"]):
                wanted[name] = each
        ordered: dict[str, dict[str, Any]] = {}
        while len(ordered) < len(wanted):
            ready = [n for n, each in wanted.items() if n not in ordered and self._needs(each, wanted) <= set(ordered)]
            assert ready, f"Circular: {set(wanted) - set(ordered)}"
            ordered |= {name: wanted[name] for name in ready}
        return ordered

    def _needs(self, resource: dict[str, Any], wanted: dict[str, Any]) -> set[str]:
        explicit = resource.get("DependsOn", [])
        explicit = [explicit] if isinstance(explicit, str) else explicit
        return ({*explicit} | set(self._named(resource.get("Properties", {})))) & set(wanted)

    def _named(self, value: Any) -> Any:
        """Resources that a value refers to, in the branches that are taken."""
        if isinstance(value, list):
            for each in value:
                yield from self._named(each)
        elif isinstance(value, dict):
            if set(value) == {"Ref"}:
                yield value["Ref"]
            elif set(value) == {"Fn::GetAtt"}:
                yield value["Fn::GetAtt"][0]
            elif set(value) == {"Fn::If"}:
                name, yes, no = value["Fn::If"]
                yield from self._named(yes if self.condition(name) else no)
            elif set(value) == {"Fn::Sub"}:
                text, extra = _sub_parts(value["Fn::Sub"])
                yield from (found.partition(".")[0] for found in _VARIABLE.findall(text) if found not in extra)
                yield from self._named(list(extra.values()))
            else:
                yield from self._named(list(value.values()))

    def output(self, name: str) -> str:
        return str(self.resolve(self.document["Outputs"][name]["Value"]))

    # ---- functions ----

    def condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            found = [self.resolve(each) for each in value]
            return [each for each in found if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return getattr(self, "_" + name.removeprefix("Fn::").lower())(argument)
        found = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in found.items() if each is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::NoValue": NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        return self.parameters[name] if name in self.parameters else self.made[name].ref

    def _getatt(self, argument: list[str]) -> str:
        name, attribute = argument
        return self.made[name].attributes[attribute]

    def _if(self, argument: list[Any]) -> Any:
        name, yes, no = argument
        return self.resolve(yes if self.condition(name) else no)

    def _sub(self, argument: Any) -> str:
        text, extra = _sub_parts(argument)
        known = {name: self.resolve(each) for name, each in extra.items()}

        def stand_for(found: re.Match[str]) -> str:
            name = found[1]
            if name in known:
                return str(known[name])
            value = self._getatt(name.split(".", 1)) if "." in name else self._ref(name)
            assert isinstance(value, str | int), (text, name, value)
            return str(value)

        return _SECRET.sub(self._secret, _VARIABLE.sub(stand_for, text))

    def _secret(self, found: re.Match[str]) -> str:
        return self.secrets[f"{found['id']}@{found['version']}" if found["version"] else found["id"]]

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return separator.join(map(str, self.resolve(parts)))

    def _select(self, argument: list[Any]) -> Any:
        return self.resolve(argument[1])[int(argument[0])]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _getazs(self, region: str) -> list[str]:
        assert region == ""
        return [f"{REGION}{letter}" for letter in "abc"]

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolve(argument)
        return str(left) == str(right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))


def _sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    return (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
