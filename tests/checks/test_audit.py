"""What `make audit` says: a package that could not be audited is not one without vulnerabilities."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOUND = {"name": "django", "version": "5.2", "vulns": []}
BROKEN = {"name": "django", "version": "5.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.1"]}]}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "says"),
    [
        ([SOUND], 0, "1 packages, 0 known vulnerabilities"),
        ([SOUND, BROKEN], 1, "django 5.0: PYSEC-1, fixed in 5.1"),
        ([SOUND, UNKNOWN], 2, "1 of 2 packages could not be audited\n          ours: not found"),
        ([BROKEN, UNKNOWN], 1, "could not be audited"),
        (None, 2, "could not ask its vulnerability service"),
    ],
)
def test_it_ends_by_what_is_known(tmp_path: Path, packages: Any, status: int, says: str) -> None:
    stand_in = tmp_path / "pip-audit"
    answer = "" if packages is None else json.dumps({"dependencies": packages})
    stand_in.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    stand_in.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ".ci/audit", str(stand_in)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert says in done.stdout
