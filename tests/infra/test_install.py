"""docs/install.md: its stacks are deployed on the lab as written there, its other commands are run as they stand."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lab.process import start_lab
from tests.failover.aws.conftest import described
from tests.infra.replay import replay
from tests.infra.template import ACCOUNT, Stack

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
GIVEN = {
    "VERSION": "1.0.0",
    "BUCKET": "a-bucket-of-yours",
    "EXTERNAL_ID": "team-web-4f1c",
    "PANEL_URL": "https://panel.example.com",
    "PANEL_ROLE": f"arn:aws:iam::{ACCOUNT}:role/panel",
}
_OUTPUT = re.compile(r"\$\(output (\S+) (\w+)\)")
_VARIABLE = re.compile(r"\$\{?([A-Z_]+)\}?")


def blocks(mark):
    return re.findall(rf"<!-- {mark} -->\n```\n(.*?)```", TEXT, re.DOTALL)


def options(command, stacks):
    """The stack's name, the template and the parameters of one `aws cloudformation deploy`."""
    filled = _OUTPUT.sub(lambda found: stacks[found[1]].output(found[2]), command.replace("\\\n", " "))
    words = shlex.split(_VARIABLE.sub(lambda found: GIVEN[found[1]], filled))
    assert words[:3] == ["aws", "cloudformation", "deploy"]
    after = words.index("--parameter-overrides") + 1
    parameters = dict(word.split("=", 1) for word in words[after:])
    named = {words[i]: words[i + 1] for i in range(3, after - 1) if words[i].startswith("--")}
    return named["--stack-name"], Path(named["--template-file"]), parameters, named["--capabilities"]


def test_the_stacks_are_deployed_as_they_stand(lab):
    """The second deployment of a stack is an update: its parameters are checked, and what it would write."""
    stacks = {}
    for command in blocks("deployed by a test"):
        name, template, parameters, capability = options(command, stacks)
        assert (ROOT / template).exists()
        if name in stacks:
            update = Stack(template.name, parameters)
            update.made = stacks[name].made
            assert "DesiredCount" not in update.resolve(update.document["Resources"]["Service"]["Properties"])
            continue
        stacks[name] = replay(template.name, lab, {"failover-webhook-key": "a-key"}, **parameters).stack
        named = "RoleName" in str(stacks[name].document["Resources"])
        assert capability == ("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
    assert set(stacks) == {"checkout", "checkout-connect", "checkout-controller"}


def test_every_output_that_is_asked_for_exists():
    templates = {"checkout": "application", "checkout-connect": "connect", "checkout-controller": "controller"}
    for stack, key in re.findall(r"output (checkout\S*)\s(\w+)\)", TEXT):
        assert f"\n  {key}:\n" in (ROOT / "infra" / f"{templates[stack]}.yaml").read_text(), (stack, key)


@pytest.mark.lab
def test_the_commands_run(tmp_path):
    """One after the other against the lab; the file that the stack's output fills is made of the lab's application."""
    with start_lab(None, tmp_path / "lab", port=0) as lab:
        (tmp_path / "checkout.toml").write_text(_toml(described(lab, "checkout")))
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": lab.endpoint,
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",
            "PANEL_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-0123456789",
            "PANEL_DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{tmp_path}/panel.sqlite3",
        }
        _run("python manage.py migrate --verbosity 0", tmp_path, environment)
        printed = [_run(each, tmp_path, environment) for each in blocks("run by a test")]
    key = (tmp_path / "webhook-key").read_text()
    assert key
    assert key == key.strip()
    assert "checkout" in printed[1]
    assert "ecs:UpdateService" in printed[1]


def _run(block, directory, environment):
    """With this interpreter, and in a directory where files may be written."""
    script = block.replace(".venv/bin/python", "python").replace("manage.py", f"{ROOT}/manage.py")
    script = f'python() {{ {shlex.quote(sys.executable)} "$@"; }}\n{script}'
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def _toml(document):
    lines = []
    for table, values in document.items():
        for entry in values if isinstance(values, list) else [values]:
            lines.append(f"[[{table}]]" if isinstance(values, list) else f"[{table}]")
            lines += [f"{key} = {_value(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _value(value):
    return (
        str(value)
        if isinstance(value, int | float)
        else str(value).replace("'", '"')
        if isinstance(value, list)
        else f'"{value}"'
    )
