"""No test is a benchmark: whether it passes must not depend on how busy the machine is."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# A deadline says only when waiting is given up; whoever takes a difference of clocks is measuring.
MEASURING = re.compile(
    r"\b(perf_counter|process_time|thread_time|timeit)\b|\bmonotonic(_ns)?\(\)\s*-|-\s*time\.monotonic\b"
)


@pytest.mark.parametrize(
    ("line", "measures"),
    [
        ("took = time.perf_counter() - began", True),
        ("took = time.monotonic() - began", True),
        ("left = deadline - time.monotonic()", True),
        ("assert time.monotonic() < deadline", False),
        ("deadline = time.monotonic() + 5", False),
    ],
)
def test_what_measures_is_told_from_what_gives_up(line, measures):
    assert bool(MEASURING.search(line)) is measures


def test_no_test_measures_how_long_something_takes():
    found = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MEASURING.search(line)
    ]
    assert found == [], "What takes how long belongs into bench/, with its limit."
