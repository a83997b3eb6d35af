"""`python -m stack.lambda_zip`: the two Lambda packages, `build/api-service.zip` and `build/failover.zip`.

The same tree gives the same bytes, wherever it is built: files are sorted, times and modes are fixed, and nothing is
compressed, since two versions of zlib make different bytes of the same text. Both stay far below Lambda's 50 MB.
"""

import argparse
import hashlib
import shutil
import subprocess  # nosec B404 # it runs our own commands
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.settings import ROOT, SettingsError

BUILD = ROOT / "build"
# The runtime that the packages are for. They hold pure Python, so that x86_64 and arm64 take the same file.
PYTHON, PLATFORM = "3.13", "x86_64-manylinux_2_28"
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # the oldest that the format knows
MODE = 0o100644
# What an installer writes about itself: it differs from tool to tool.
OF_INSTALLERS = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"}


@dataclass(frozen=True)
class Package:
    """`lock` is the file of pinned requirements, None where the runtime's own boto3 is all it needs."""

    name: str
    folder: str
    lock: Path | None = None
    without: tuple[str, ...] = ()


PACKAGES = (
    Package("api-service", "api_service", ROOT / "requirements" / "api-lambda.txt"),
    # The batched observation is the panel's, and needs a library.
    Package("failover", "failover", without=("failover/aws/fleet",)),
)


def build(package: Package, directory: Path) -> Path:
    """Write the package into the directory and return its path. Raises SettingsError, CalledProcessError."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{package.name}.zip"
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder)
        if package.lock:
            install(package.lock, installed)
        files = {**dict(_installed(installed)), **dict(_own(package))}
        partial = path.with_suffix(".partial")
        _write(partial, files)
        partial.replace(path)
    return path


def install(lock: Path, target: Path) -> None:
    """The lock's wheels for Lambda, whatever this machine is. Raises CalledProcessError."""
    common = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--target", str(target), "-r", str(lock)]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        for_lambda = ["--python-platform", PLATFORM, "--python-version", PYTHON]
        known = subprocess.run([uv, "pip", "install", "--system-certs", *for_lambda, *common], check=False)  # noqa: S603 # nosec B603 # ours
        if known.returncode == 0:
            return
    # uv knows nothing of pip's own settings (index, proxy, certificates).
    for_lambda = ["--platform", "manylinux_2_28_x86_64", "--python-version", PYTHON, "--implementation", "cp"]
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--upgrade"]
    subprocess.run([*pip, *for_lambda, *common], check=True)  # noqa: S603 # nosec B603 # ours


def _installed(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.name in OF_INSTALLERS or name.startswith("bin/") or "__pycache__" in path.parts:
            continue
        if path.suffix in {".so", ".pyd", ".dylib"}:
            raise SettingsError(f"{name} is no pure Python: the package would be for one kind of processor only.")
        yield name, path.read_bytes()


def _own(package: Package) -> Iterator[tuple[str, bytes]]:
    for path in (ROOT / package.folder).rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(package.without):
            yield name, path.read_bytes()


def _write(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIRST_MOMENT)
            entry.create_system, entry.external_attr = 3, MODE << 16  # Unix, whatever this machine is
            archive.writestr(entry, files[name])


def main() -> int:
    """Returns the exit status: 0, 1 where a package can't be built."""
    parser = argparse.ArgumentParser(prog="python -m stack.lambda_zip", description="Build the Lambda packages.")
    parser.add_argument("--into", type=Path, default=BUILD, metavar="DIR", help="default: build/")
    directory = parser.parse_args().into
    try:
        for package in PACKAGES:
            _tell(build(package, directory))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's line
        return 1
    except subprocess.CalledProcessError as error:
        print(f"The package's requirements can't be installed (exit status {error.returncode}).", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _tell(path: Path) -> None:
    content = path.read_bytes()
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>9,} bytes  {shown}")  # noqa: T201 - this command's output


if __name__ == "__main__":
    sys.exit(main())
