"""The fault matrix's judge: a cell that went well is well, and each thing that can go wrong is told."""

from dataclasses import replace
from random import Random

import pytest

from bench.chaos.__main__ import main, table
from bench.chaos.faults import MOMENTS, PHASES, Moment, moment_of
from bench.chaos.judge import Evidence, Sent, Write, ending, judge
from bench.chaos.matrix import Verdict
from bench.chaos.rows import UnderWay

FAILOVER = {"id": 1, "goal": "failover", "status": "succeeded", "error": ""}
FAILBACK = {"id": 2, "goal": "failback", "status": "succeeded", "error": ""}
STOPPED = {**FAILBACK, "status": "failed", "error": "Lambda does not answer."}
WELL = Evidence(
    fault="worker-killed",
    happened="0.4 s after shift of a failover",
    findings=[("the weights are at lambda", True, "lambda")],
    operations=[FAILBACK, FAILOVER],
    weights=(100, 0),
    answered=20,
    failed=0,
    sent=[Sent("a", (503, 0, 202)), Sent("b", (202, 202))],
    rows={"a": "processed", "b": "unmatched", "from-aws": "processed"},
    processed=["a", "from-aws"],
    dead_letters=[],
    delivered=["from-aws"],
    audit=[(what, about) for about in ("failover #1", "failback #2") for what in ("operation.start", "operation.end")],
    audit_problem="",
    writes=[
        Write("Weights become 0/100", 1, 3), Write("Weights become 0/100", 1, 4), Write("Weights become 100/0", 2, 1),
    ],
    taken_by_aws=2,
)  # fmt: skip
UNMET = [("the weights are at lambda", False, "ecs")]


def test_a_cell_that_went_well_has_nothing_wrong():
    assert judge(WELL) == []
    assert ending(WELL) == "as its file says"


def test_a_safe_stop_is_well_too_and_says_why():
    stopped = replace(WELL, findings=UNMET, operations=[STOPPED, FAILOVER], weights=(0, 100))
    assert judge(stopped) == []
    assert ending(stopped) == "safe stop: Lambda does not answer."


def test_tasks_that_were_asked_for_after_the_stop_do_not_hide_it():
    tasks = {"id": 3, "goal": "set_weights", "status": "succeeded", "error": ""}
    audit = [*WELL.audit, ("operation.start", "set_weights #3"), ("operation.end", "set_weights #3")]
    stopped = replace(WELL, findings=UNMET, operations=[tasks, STOPPED, FAILOVER], weights=(0, 100), audit=audit)
    assert judge(stopped) == []


BROKEN = {
    "the fault never happened": ({"happened": ""}, "never happened"),
    "an operation goes on for ever": ({"operations": [{**FAILBACK, "status": "waiting"}, FAILOVER]}, "never ended"),
    "another end and no reason": ({"findings": UNMET}, "no operation says why"),
    "nothing was found": ({"findings": []}, "no operation says why"),
    "stopped without a reason": (
        {"findings": UNMET, "operations": [{**STOPPED, "error": ""}]}, "no operation says why",
    ),
    "stopped where users are failed": (
        {"findings": UNMET, "operations": [STOPPED, FAILOVER], "failed": 3}, "users are failed",
    ),
    "stopped where nobody answers": (
        {"findings": UNMET, "operations": [STOPPED, FAILOVER], "answered": 0}, "users are failed",
    ),
    "nodes that differ": ({"weights": None}, "do not agree"),
    "no weight at all": ({"weights": (0, 0)}, "No pool"),
    "an event is lost": ({"rows": {"b": "processed", "from-aws": "processed"}}, "a was taken and is lost"),
    "an event of AWS's is lost": ({"rows": {"a": "processed", "b": "processed"}}, "from-aws was taken and is lost"),
    "an event waits for ever": ({"rows": {**WELL.rows, "a": "stored"}}, "a was never processed"),
    "an event counts twice": ({"processed": ["a", "a"]}, "a was processed 2 times"),
    "an event is refused for good": ({"sent": [Sent("a", (400,))]}, "refused for good"),
    "an event is never taken": ({"sent": [Sent("a", (503, 0))]}, "never taken"),
    "EventBridge gives up": ({"dead_letters": ["x"]}, "gave event x up"),
    "the audit trail is broken": ({"audit_problem": "Entry #3 was changed."}, "Entry #3 was changed"),
    "an entry is missing": ({"audit": WELL.audit[:-1]}, "0 entries operation.end for failback #2"),
    "an entry stands twice": ({"audit": [*WELL.audit, WELL.audit[0]]}, "2 entries operation.start for failover #1"),
    "AWS did something twice": ({"taken_by_aws": 3}, "3 writes where 2 were meant"),
    "an old lease writes after a new one": ({"writes": WELL.writes[::-1]}, "after lease"),
    "a write without a lease": ({"writes": [Write("Desired count becomes 2", 0, 0), *WELL.writes]}, "without a lease"),
    "a process is left": ({"left_behind": ["17 (celery)"]}, "left behind: 17"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_goes_wrong_is_told(what):
    changes, told = BROKEN[what]
    sentences = judge(replace(WELL, **changes))
    assert any(told in sentence for sentence in sentences), sentences


def test_a_superseded_operation_wants_its_own_entry():
    over = {**FAILOVER, "status": "superseded"}
    audit = [("operation.start", "failover #1"), ("operation.supersede", "failover #1")]
    assert judge(replace(WELL, operations=[over], audit=audit)) == []


def test_the_table_has_a_row_for_each_scenario_and_a_column_for_each_fault():
    verdicts = [
        Verdict("surge", "none", 1, 60, ended="as its file says"),
        Verdict("surge", "aws-5xx", 1, 60, bad=["Event a was taken and is lost."]),
        Verdict("sick-lambda", "none", 1, 60, ended="safe stop: Lambda does not answer."),
    ]
    head, surge, sick, *_ = (line.split() for line in table(verdicts).splitlines())
    assert head == ["calm", "AWS", "5xx"]
    assert surge == ["surge", "ok", "BAD"]
    assert sick == ["sick-lambda", "stop", "-"]


def test_a_moment_comes_with_its_phase_or_a_later_one_of_the_same_goal():
    moment = Moment("failover", "shift", 0)
    assert not moment.has_come(None)
    assert not moment.has_come(UnderWay(1, "failover", "healthy"))
    assert not moment.has_come(UnderWay(1, "failback", "shift"))
    assert moment.has_come(UnderWay(1, "failover", "settle"))


def test_a_seed_repeats_its_moment():
    assert moment_of("surge", Random("1")) == moment_of("surge", Random("1"))
    assert len({moment_of("surge", Random(str(seed))) for seed in range(20)}) > 5
    assert {phase for moments in MOMENTS.values() for _, phase in moments} <= set(PHASES)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--cell", "surge"], "'surge' is no cell"),
        (["--fault", "gremlins"], "worker-killed"),
        (["--cell", "surge/none", "--fault", "none"], "--cell names both"),
    ],
)
def test_what_is_no_cell_is_told(given, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.lab
@pytest.mark.timeout(900)
def test_two_cells_end_well(capsys):
    assert main(["--cell", "surge/worker-killed", "--cell", "surge/database-restarted"]) == 0, capsys.readouterr().out
