"""A journal file through power cuts and editors: what was written whole stays, what comes next is a line of its own."""

import json

import pytest

from failover.journal import FileJournal, lines
from failover.model import Goal, Request
from tests.failover.world import application


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkout.jsonl"


def write(path) -> None:
    journal = FileJournal(path, lambda *_: None, lambda: 1_000_000.0)
    journal.begun(application(), Request(Goal.FAILOVER), "a test")
    journal.close()


def test_an_unfinished_line_goes_before_the_next_one_is_written(path):
    write(path)
    with path.open("a") as file:
        file.write('{"at": "2026-1')
    write(path)
    assert [line["message"] for line in lines(path)] == ["a test", "a test"]


def test_a_whole_line_that_only_lacks_its_end_stays(path):
    write(path)
    path.write_text(path.read_text().rstrip("\n"))
    write(path)
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 2
