"""Values against botocore's shapes: rendered for JSON and for XML, and read from a query's flat parameters."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, MapShape, Shape, StructureShape

from lab.errors import AwsError


def to_json(shape: Shape, value: Any) -> Any:
    """A value as a JSON document. Raises KeyError for a member that the service model does not have."""
    match shape:
        case StructureShape():
            given = {member: each for member, each in value.items() if each is not None}
            return {_wire_name(shape, member): to_json(shape.members[member], each) for member, each in given.items()}
        case ListShape():
            return [to_json(shape.member, each) for each in value]
        case MapShape():
            return {key: to_json(shape.value, each) for key, each in value.items()}
    return value


def to_xml(shape: Shape, value: Any, parent: ET.Element, name: str) -> None:
    """Appends a value as XML. Raises KeyError for a member that the service model does not have."""
    element = ET.SubElement(parent, name)
    match shape:
        case StructureShape():
            for member, each in value.items():
                if each is not None:
                    to_xml(shape.members[member], each, element, _wire_name(shape, member))
        case ListShape():
            for each in value:
                to_xml(shape.member, each, element, _entry_name(shape))
        case MapShape():
            for key, each in value.items():
                entry = ET.SubElement(element, "entry")
                to_xml(shape.key, key, entry, "key")
                to_xml(shape.value, each, entry, "value")
        case _:
            element.text = _text(shape, value)


def from_flat(shape: StructureShape, flat: Mapping[str, str]) -> dict[str, Any]:
    """Parameters such as ``Actions.member.1.Type`` as a nested value. Unknown members stay, for the validation."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value
    nested: dict[str, Any] = _from_tree(shape, tree, "")
    return nested


def _from_tree(shape: Shape, tree: Any, name: str) -> Any:
    match shape:
        case StructureShape() if isinstance(tree, dict):
            return dict(_member_from_tree(shape, key, each) for key, each in tree.items())
        case ListShape():
            numbered = tree.get(_entry_name(shape), {}) if tree else {}
            return [_from_tree(shape.member, numbered[index], name) for index in sorted(numbered, key=int)]
        case MapShape():
            entries = tree.get("entry", {}) if tree else {}
            return {each["key"]: _from_tree(shape.value, each.get("value"), name) for each in entries.values()}
    return _from_text(shape, tree, name)


def _member_from_tree(shape: StructureShape, key: str, tree: Any) -> tuple[str, Any]:
    member = next((member for member in shape.members if _wire_name(shape, member) == key), None)
    return (member, _from_tree(shape.members[member], tree, key)) if member else (key, tree)


def _from_text(shape: Shape, text: Any, name: str) -> Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text]
    except (ValueError, TypeError, KeyError) as error:
        raise AwsError("ValidationError", f"'{text}' is not a valid {shape.type_name} for '{name}'") from error
    return text


def _wire_name(shape: StructureShape, member: str) -> str:
    return str(shape.members[member].serialization.get("name", member))


def _entry_name(shape: ListShape) -> str:
    return str(shape.member.serialization.get("name", "member"))


def _text(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "boolean":
            return str(value).lower()
        case "timestamp":
            moment = datetime.fromtimestamp(value, UTC)
            return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return str(value)
