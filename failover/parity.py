"""Whether both pools have the same code: by their images' digests where both have one, else by the tag `version`."""

from __future__ import annotations

from dataclasses import dataclass

from failover.model import NOT_READ, Code, Position, Snapshot, Versions

SHOWN = len("sha256:") + 12  # characters of a digest that people compare
TAG_BOTH = "tag the function and the task definition with `version`"


@dataclass(frozen=True)
class Parity:
    """`same` is None where it can't be told; `sentence` says what is known, empty while nothing was asked."""

    same: bool | None
    sentence: str


def judged(snapshot: Snapshot) -> Parity:
    versions = snapshot.versions.value
    if versions is None:
        problem = snapshot.versions.problem
        return Parity(None, "" if problem == NOT_READ else f"Which code the pools have is unknown: {problem}")
    function, task = versions.function, versions.task
    if function.digest and task.digest:
        if function.digest == task.digest:
            return _same(_image(function))
        return _different(snapshot.position, _image(function), _image(task))
    if function.version and task.version:
        if function.version == task.version:
            return _same(_tagged(function))
        return _different(snapshot.position, _tagged(function), _tagged(task))
    return Parity(None, f"Whether both pools have the same code can't be told: {_untold(versions)}")


def _same(code: str) -> Parity:
    return Parity(same=True, sentence=f"Both pools have {code}.")


def _different(position: Position, function: str, task: str) -> Parity:
    if position is Position.ECS:
        return Parity(same=False, sentence=f"ECS runs {task}, Lambda would run {function}.")
    runs = "runs" if position is Position.SPLIT else "would run"
    return Parity(same=False, sentence=f"Lambda runs {function}, ECS {runs} {task}.")


def _tagged(code: Code) -> str:
    return f"version {code.version}"


def _image(code: Code) -> str:
    image = f"image {code.digest[:SHOWN]}"
    return f"{_tagged(code)} ({image})" if code.version else image


def _untold(versions: Versions) -> str:
    return versions.function.problem or f"{TAG_BOTH}."
