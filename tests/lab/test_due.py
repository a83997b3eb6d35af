"""Passing over moments in which nothing happens must not change what happens."""

import pytest

from lab import virtual as virtual_time
from lab.virtual import VirtualLab
from lab.worldfile import load


def history(world_file, every_moment, monkeypatch):
    """What the world went through in two minutes in which tasks come and go, noted each second."""
    if every_moment:
        monkeypatch.setattr(virtual_time, "next_due", lambda _world, now: now)
    lab = VirtualLab(load(world_file))
    application = lab.world.applications["checkout"]
    ids = []

    def scale(count):
        lab.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)

    seen = []
    for second in range(120):
        if second in (10, 60):
            scale({10: 3, 60: 0}[second])
        if second == 20:
            lab.world.set_alarm_state("checkout-lambda-throttles", "ALARM", "by hand", None, lab.now)
        if second == 30:
            lab.containers.kill(next(iter(application.service.tasks)))
        if second == 40:
            lab.containers.broken = True
        if second == 50:
            lab.containers.broken = False
        lab.run(1)
        ids += [task for task in application.service.tasks if task not in ids]
        tasks = [(ids.index(each.id), each.status) for each in application.service.tasks.values()]
        targets = [(each.state, round(each.since, 1)) for each in application.ecs_group.targets.values()]
        seen.append((second, tasks, targets, [alarm.state.value for alarm in lab.world.alarms()]))
    transitions = [(t.state.value, round(t.state.updated, 1)) for alarm in lab.world.alarms() for t in alarm.history]
    return seen, transitions, [event.message.split(" (task")[0] for event in application.service.events]


def test_a_history_is_the_same_whether_every_moment_is_looked_at_or_not(world_file, monkeypatch):
    with monkeypatch.context() as context:
        finely = history(world_file, True, context)
    assert history(world_file, False, monkeypatch) == finely


def test_an_hour_of_nothing_takes_few_looks(world_file, monkeypatch):
    lab = VirtualLab(load(world_file))
    looks = []
    advance = lab.world.advance
    monkeypatch.setattr(lab.world, "advance", lambda now: (looks.append(now), advance(now)))
    lab.run(3600)
    assert len(looks) == pytest.approx(3600 / 5, abs=10), "one for each period of the alarms"
