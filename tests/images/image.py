"""An image without an engine: what its Dockerfile says, laid out on this machine, its commands run as they would be.

The files that it copies, read-only; a virtual environment with exactly its lock; its own variables and no others; a
user that is not root; no home. What is missing is the kernel's part: namespaces, and a read-only root file system.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Stage:
    """One stage of a Dockerfile, with what it has from the stage that it builds on."""

    variables: Mapping[str, str] = field(default_factory=dict)
    copied: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    user: str = "root"
    image: str = ""


def stages(dockerfile: Path) -> dict[str, Stage]:
    """By name, the last one also as ""."""
    found: dict[str, Stage] = {}
    name, here = "", Stage()
    for line in re.sub(r"\\\n", " ", dockerfile.read_text(encoding="utf-8")).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            here = replace(found.get(base, Stage(image=base)), image=found.get(base, Stage(image=base)).image)
        elif word:
            here = _after(here, word, rest.strip())
        found[name] = found[""] = here
    return found


def _after(stage: Stage, word: str, rest: str) -> Stage:
    if word == "ENV":
        return replace(stage, variables={**stage.variables, **dict(each.split("=", 1) for each in shlex.split(rest))})
    if word == "COPY" and not rest.startswith("--from"):
        return replace(stage, copied=(*stage.copied, *rest.split()[:-1]))
    if word == "CMD":
        return replace(stage, command=tuple(json.loads(rest)))
    if word == "HEALTHCHECK":
        return replace(stage, health=tuple(json.loads(rest.partition(" CMD ")[2])))
    return replace(stage, user=rest) if word == "USER" else stage


class Container:
    """A command that runs."""

    def __init__(self, image: Image, process: subprocess.Popen[bytes], log: Path, env: dict[str, str]) -> None:
        self.process, self._image, self._log, self._env = process, image, log, env

    def is_healthy(self, check: Sequence[str]) -> bool:
        return self._image.run(check, self._env).returncode == 0

    def wait_until_healthy(self, check: Sequence[str]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_healthy(check):
            assert self.process.poll() is None, f"it ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"it is not healthy:\n{self.said()}"
            time.sleep(0.5)

    def end(self) -> int:
        """The exit status after SIGTERM, as an engine ends it."""
        self.process.terminate()
        return self.process.wait(timeout=40)

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:]


@dataclass(frozen=True)
class Image:
    """`folder` has `app`, `venv`, and `tmp`, the one place where its user may write."""

    stage: Stage
    folder: Path

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._resolved(command), env=self._environment(env), capture_output=True, text=True, timeout=120,
            check=False, **self._as_whom(),
        )  # fmt: skip

    @contextmanager
    def running(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Iterator[Container]:
        own = {"PANEL_ALIVE_PATH": str(self.tmp / f"alive-{name}"), **env}
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._resolved(command), env=self._environment(own), stdout=output, stderr=output,
                start_new_session=True, **self._as_whom(),
            )  # fmt: skip
        try:
            yield Container(self, process, log, own)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=40)

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    def secret(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o444)
        return str(path)

    def _resolved(self, command: Sequence[str]) -> list[str]:
        # Popen looks the program up in our own PATH, not in that of the environment it is given.
        program = shutil.which(command[0], path=str(self.folder / "venv" / "bin"))
        assert program, f"{command[0]} is not in the image"
        return [program, *command[1:]]

    def _environment(self, env: Mapping[str, str]) -> dict[str, str]:
        path = self.stage.variables["PATH"].replace("/opt/venv", str(self.folder / "venv")).replace("$PATH", os.defpath)
        here = {"PATH": path, "HOME": "/nonexistent", "TMPDIR": str(self.tmp), "HOST": "127.0.0.1"}
        return {**self.stage.variables, **here, **env}

    def _as_whom(self) -> dict[str, Any]:
        as_other = {"user": UNPRIVILEGED, "group": pwd.getpwnam(UNPRIVILEGED).pw_gid, "extra_groups": []}
        return {"cwd": self.folder / "app", **(as_other if os.geteuid() == 0 else {})}


@contextmanager
def laid_out(stage: Stage, lock: str) -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="image-"))  # pytest's own may be entered by its user alone
    try:
        folder.chmod(0o755)
        for source in stage.copied:
            _copy(source, folder / "app")
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        _make_venv(folder / "venv", ROOT / "requirements" / lock)
        subprocess.run([folder / "venv/bin/python", "-m", "compileall", "-q", folder / "app"], check=True)
        for path in (folder / "app", *(folder / "app").rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield Image(stage, folder)
    finally:
        for path in (folder / "app", *(folder / "app").rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(folder)


def _copy(source: str, app: Path) -> None:
    app.mkdir(exist_ok=True)
    if (ROOT / source).is_dir():
        shutil.copytree(ROOT / source, app / source, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(ROOT / source, app / source)


def _make_venv(venv: Path, lock: Path) -> None:
    subprocess.run([_interpreter(), "-m", "venv", "--without-pip", venv], check=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    tool = (
        [uv, "pip", "install", "--system-certs", "--compile-bytecode"]
        if uv
        else [sys.executable, "-m", "pip", "install"]
    )
    subprocess.run(
        [*tool, "--quiet", "--python", venv / "bin" / "python", "--require-hashes", "-r", lock], check=True, timeout=300
    )


def _interpreter() -> str:
    """One that another user can start: not one in a home directory that is closed to others."""
    for candidate in (Path(sys.base_prefix) / "bin" / "python3", Path("/usr/bin/python3")):
        real = candidate.resolve()
        if real.exists() and all(each.stat().st_mode & 0o001 for each in (real, *real.parents)):
            return str(candidate)
    return sys.executable
