"""How long the API takes to load in a fresh Lambda environment, beside the least that Starlette and Mangum can do.

Each is unpacked as Lambda unpacks its package, and loaded by a fresh interpreter that sees nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench.figures import Figure
from stack import lambda_zip

ROUNDS = 15
MOST_TIMES_BARE = 1.3
BARE = """
from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def root(_request):
    return JSONResponse({"message": "healthy"})


handler = Mangum(Starlette(routes=[Route("/", root)]), lifespan="off")
"""
OURS, BARE_NAME = "the API service", "bare Starlette and Mangum"
PROGRAM = (
    "import time, importlib; t = time.perf_counter(); importlib.import_module('{}'); print(time.perf_counter() - t)"
)


def measure(rounds: int = ROUNDS) -> list[Figure]:
    """Alternately, so that whatever else this machine does meets both alike."""
    with tempfile.TemporaryDirectory() as folder:
        package = unpacked(Path(folder))
        (package / "bare.py").write_text(BARE, encoding="utf-8")
        modules = {OURS: "api_service.lambda_handler", BARE_NAME: "bare"}
        for module in modules.values():
            _load(package, module)  # the first one alone reads the disk
        taken: dict[str, list[float]] = {name: [] for name in modules}
        for _ in range(rounds):
            for name, module in modules.items():
                taken[name].append(_load(package, module))
    median = {name: statistics.median(times) for name, times in taken.items()}
    times_bare = median[OURS] / median[BARE_NAME]
    name = "cold import, median"
    return [
        *(Figure(name, 1000 * seconds, "ms", of=which) for which, seconds in median.items()),
        Figure("times the bare one", times_bare, of=OURS, most=MOST_TIMES_BARE),
    ]


def unpacked(folder: Path) -> Path:
    """The API's Lambda package, built and unpacked there."""
    api, _ = lambda_zip.PACKAGES
    with zipfile.ZipFile(lambda_zip.build(api, folder)) as archive:
        archive.extractall(folder / "package")
    return folder / "package"


def _load(package: Path, module: str) -> float:
    """Seconds. `-S` and `-P`: nothing of this machine's packages and of the current directory is seen."""
    command = [sys.executable, "-S", "-P", "-c", PROGRAM.format(module)]
    # No bytecode is kept: the package's folder is read-only on Lambda, and each environment compiles anew.
    environment = {"PYTHONPATH": str(package), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, cwd=package, check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)
