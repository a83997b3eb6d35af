"""`build/bench.json`: every figure of a run, and the machine that it was measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure

FILE = Path("build/bench.json")


def write(
    results: Mapping[str, Sequence[Figure]], machine: Mapping[str, Any], now: float, note: str = "", file: Path = FILE
) -> None:
    """``note`` says what a reader of the figures must know, such as that the machine was shared."""
    content = {
        "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "note": note,
        "results": {name: [figure.described() for figure in figures] for name, figures in results.items()},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
