"""The Lambda packages as Lambda has them: unpacked, in an interpreter that sees nothing else but boto3."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from stack import lambda_zip
from stack.lambda_zip import PACKAGES, build
from tests.api_service.test_lambda_handler import alb_event

API, CONTROLLER = PACKAGES
PROGRAM = (
    "import json, sys; from {} import handler; print(json.dumps([handler(e, None) for e in json.load(sys.stdin)]))"
)
Invoke = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {package.name: build(package, folder) for package in PACKAGES}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python runtime brings: boto3 and what it needs, and no other package."""
    folder = tmp_path_factory.mktemp("runtime")
    packages = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        (folder / name).symlink_to(packages / name)
    return folder


@pytest.fixture(scope="module")
def invoke(built: dict[str, Path], runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Invoke:
    """Invoke a package's handler with these events, one after the other, in one environment."""
    task = tmp_path_factory.mktemp("task")
    for name, path in built.items():
        with zipfile.ZipFile(path) as archive:
            archive.extractall(task / name)

    def run(package: str, handler: str, *events: Any, **variables: str) -> list[Any]:
        done = subprocess.run(
            [sys.executable, "-S", "-P", "-B", "-c", PROGRAM.format(handler)],
            cwd=task / package,
            env={"PATH": os.defpath, "PYTHONPATH": f"{task / package}:{runtime}", **variables},
            input=json.dumps(events),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
        return answers

    return run


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_built_again_it_has_the_same_bytes(built: dict[str, Path], package: Any, tmp_path: Path) -> None:
    os.utime(lambda_zip.ROOT / package.folder / "__init__.py")  # as in another clone, whose files are of another time
    assert digest(build(package, tmp_path)) == digest(built[package.name])


@pytest.mark.full
def test_pip_makes_the_same_bytes_as_uv(
    built: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.lambda_zip.shutil.which", lambda *_, **__: None)
    assert digest(build(API, tmp_path)) == digest(built[API.name])


def test_its_entries_are_sorted_without_times_and_readable_by_lambda(built: dict[str, Path]) -> None:
    for path in built.values():
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        assert [each.filename for each in entries] == sorted(each.filename for each in entries)
        assert {each.date_time[:3] for each in entries} == {(1980, 1, 1)}
        assert {each.external_attr >> 16 for each in entries} == {0o100644}


def test_the_controllers_package_is_its_own_code_alone(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built[CONTROLLER.name]) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"failover"}


def test_each_package_keeps_the_licences_of_what_it_brings(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built[API.name]) as archive:
        names = archive.namelist()
    brought = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert {each for each in brought if not any(name.startswith(f"{each}/licenses/") for name in names)} == set()
    assert {each.split("-")[0] for each in brought} >= {"starlette", "mangum", "anyio"}


def test_native_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(_lock: Path, target: Path) -> None:
        (target / "fast.so").touch()

    monkeypatch.setattr(lambda_zip, "install", install)
    with pytest.raises(lambda_zip.SettingsError, match=r"fast\.so is no pure Python"):
        build(API, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_api_answers_load_balancers_in_both_header_modes_and_anything_else_with_a_sentence(invoke: Invoke) -> None:
    handler = "api_service.lambda_handler"
    one, many, other = invoke(
        API.name, handler, alb_event("/env"), alb_event("/bang", multi_value=True), {"source": "aws.events"},
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001",
    )  # fmt: skip
    assert (one["statusCode"], one["statusDescription"]) == (200, "200 OK")
    assert json.loads(one["body"]) == {"message": "lambda"}
    assert one["headers"]["content-type"] == "application/json"
    assert (many["statusCode"], many["statusDescription"]) == (200, "200 OK")
    assert json.loads(many["body"]) == {"message": "boom"}
    assert many["multiValueHeaders"]["content-type"] == ["application/json"]
    assert "nothing was done" in other["message"]


def test_the_controller_answers_with_boto3_alone(invoke: Invoke) -> None:
    [unset] = invoke(CONTROLLER.name, "failover.lambda_handler", {})
    assert (unset["outcome"], unset["split"]) == ("failed", None)
    assert "ECS_CLUSTER must be given" in unset["reason"]
    arn = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup"
    [ignored] = invoke(
        CONTROLLER.name, "failover.lambda_handler", {},
        ECS_CLUSTER="apis", ECS_SERVICE="checkout", LAMBDA_FUNCTION_NAME="checkout", ALARM_NAMES="checkout",
        LISTENER_ARN="arn:aws:elasticloadbalancing:sa-east-1:111122223333:listener/app/apis/1/2",
        LAMBDA_TARGET_GROUP_ARN=f"{arn}/checkout-lambda/1", ECS_TARGET_GROUP_ARN=f"{arn}/checkout-ecs/2",
    )  # fmt: skip
    assert (ignored["application"], ignored["outcome"]) == ("checkout", "ignored")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_module_can_be_loaded_from_the_package(built: dict[str, Path], runtime: Path, package: Any) -> None:
    """Nothing that was left out is asked for later on. Only what starts a server or a command line is never loaded."""
    program = (
        "import importlib, sys, zipfile\n"
        "for name in zipfile.ZipFile(sys.argv[1]).namelist():\n"
        "    if name.startswith(sys.argv[2]) and '__main__' not in name:\n"
        "        importlib.import_module(name.removesuffix('.py').removesuffix('/__init__').replace('/', '.'))\n"
    )
    path = built[package.name]
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-B", "-c", program, str(path), f"{package.folder}/"],
        env={"PATH": os.defpath, "PYTHONPATH": f"{path}:{runtime}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
