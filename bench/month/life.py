"""What happens in the month, by the hour: loads, surges, events, visitors, people and things that break."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.contrib.auth.models import User

from bench.deliveries import alarm_change
from bench.month.browser import Browser
from bench.month.clockwork import Clockwork
from bench.simulate.clients import Unwatched, clients
from bench.simulate.play import DEMO, MIX
from failover import probing
from failover.aws.adapter import Adapter
from failover.model import Application as Configured
from failover.model import Snapshot
from failover.probing import OK, Tick
from lab import worldfile
from lab.eventbridge import Destination
from lab.ports import Answer
from lab.virtual import VirtualLab
from panel import outbound
from panel.fleet import connections
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.ingest import keys
from panel.notify import sending, targets
from panel.notify.kinds import choosable
from panel.operations import brakes

SLUGS = ("checkout", "search", "accounts")
PATTERN = "checkout"  # the demonstration's application that all of them are like
HOUR = 3600.0
CALM, SURGE = (12.0, 0.01), (150.0, 0.024)  # requests a second, share of those that take five seconds
SURGE_SECONDS = 1200.0
FAILS_EVERY = 7  # each seventh message to a target meets an error
NEVER_HEALTHY_EVERY = 6  # days, on which one application's tasks do not get well
HELD_EVERY = 5  # days, on which somebody holds an application while its surge comes
DRILL_HOUR, DRILL_DAYS = 18, (2, 4)  # UTC; a drill of each application on Tuesdays, a rehearsal on Thursdays
DELIVERIES = 100  # that the lab may remember
PASSWORD = "not-used-" * 3


def lab() -> VirtualLab:
    """A lab with applications like the demonstration's, whose alarms have their own names."""
    table = worldfile.load(DEMO)
    pattern = table.applications[PATTERN]
    applications = {
        slug: replace(
            pattern,
            name=slug.capitalize(),
            alarms=tuple(replace(each, name=each.name.replace(PATTERN, slug)) for each in pattern.alarms),
        )
        for slug in SLUGS
    }
    return VirtualLab(replace(table, applications=applications))


@dataclass
class Life:
    """``begin`` once, then ``hour`` for each hour. ``answers`` counts what the webhook answered."""

    lab: VirtualLab
    clockwork: Clockwork
    answers: Counter[int] = field(default_factory=Counter)
    messages: int = 0
    _sender: Browser = field(default_factory=Browser)
    _number: int = 0
    _key: str = ""

    def begin(self) -> None:
        connections.connect = _connect(self.lab)  # type: ignore[assignment]  # one a call would forget what it read
        connections.fleet = _Fleet  # type: ignore[assignment]
        setattr(probing, "burst", self._probe)  # noqa: B010 - no probe leaves this process
        sending._WAYS = dict.fromkeys(sending._WAYS, self._tell)  # noqa: SLF001 - and no message
        self._key = keys.create("month")
        for slug in SLUGS:
            import_document(self._document(slug), f"{slug}.toml")
            self._load(slug, CALM)
        wanted = [kind.name for kind in choosable(every_team=True)]
        for name in ("on call", "archive"):
            targets.add(None, name, "console", "", wanted, by="ana")
        self.lab.http.receiver = self._receive
        for world in self.lab.cloud.worlds.values():
            world.bus.destination = Destination("https://panel.invalid", "X-Api-Key", self._key)
        self.lab.faults.set("events_duplicated", 1)

    def hour(self, number: int) -> None:
        """An hour of the month, counted from 0."""
        day, hour = divmod(number, 24)
        self._strangers(hour)
        if hour % 4 == 0:
            self._visit(day)
        surging = [slug for place, slug in enumerate(SLUGS) if hour == 2 + 6 * place]
        for slug in surging:
            self._before(slug, day)
            self._load(slug, SURGE)
        self.clockwork.run(SURGE_SECONDS)
        for slug in surging:
            self._load(slug, CALM)
        now = moment(self.lab.now)
        self.clockwork.attentive = now.isoweekday() in DRILL_DAYS and 0 <= now.hour - DRILL_HOUR < len(SLUGS)
        self.clockwork.run(HOUR - SURGE_SECONDS)
        self.clockwork.attentive = False
        for slug in surging:
            self.lab.faults.set("tasks_never_healthy", None, slug)
        self.clockwork.show_signs_of_life()
        for flow in self.lab.flows.values():
            flow.losses.clear()  # the lab keeps them for whoever asks, and nobody does
        for world in self.lab.cloud.worlds.values():
            del world.bus.deliveries[:-DELIVERIES]  # likewise

    # ---- what comes from outside ----

    def _receive(self, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        return Answer(self._deliver(body, headers["X-Api-Key"]), at)

    def _deliver(self, body: bytes, key: str) -> int:
        status = self._sender.ask("POST", "/webhooks/eventbridge", body, **{"X-Api-Key": key})
        self.answers[status] += 1
        return status

    def _strangers(self, hour: int) -> None:
        """Events that nobody listens to, a late one, and somebody with a wrong key."""
        self._number += 1
        home = self.lab.world
        for alarm, key in (
            ("nobody-listens", self._key),
            (f"{SLUGS[hour % len(SLUGS)]}-lambda-throttles", self._key),
            ("x", "?"),
        ):
            event = alarm_change(f"month-{self._number}-{alarm}", home.account, home.region, alarm)
            self._deliver(json.dumps(event).encode(), key)

    def _visit(self, day: int) -> None:
        """Somebody signs in, looks around, and signs out on some days only."""
        user, _ = User.objects.get_or_create(username="ana", defaults={"is_superuser": True, "password": PASSWORD})
        browser = Browser()
        browser.sign_in(user)
        for path in ("/", f"/applications/{SLUGS[day % len(SLUGS)]}/"):
            self.answers[browser.ask("GET", path)] += 1
        if day % 2:
            browser.sign_out()

    # ---- people and faults ----

    def _before(self, slug: str, day: int) -> None:
        turn = SLUGS.index(slug)
        application = Application.objects.get(slug=slug)
        if day % NEVER_HEALTHY_EVERY == turn:
            self.lab.faults.set("tasks_never_healthy", value=True, application=slug)
        if day % HELD_EVERY == turn:
            brakes.place_hold(application, owner="ana", reason="A migration is under way", minutes=45)
        if day % 7 == turn:
            for mode in ("observe", "auto"):
                brakes.set_mode(application, mode, by="ana", reason="We look at its alarms first")
        if day % 10 == turn:
            for on in (True, False):
                brakes.set_kill_switch(on=on, by="ana", reason="A rehearsal of the kill switch")

    def _load(self, slug: str, load: tuple[float, float]) -> None:
        rate, slow = load
        mix = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        self.lab.flow(slug, rate, [*mix, ("/sleep", slow)])

    # ---- what takes the place of the network ----

    def _tell(self, *_message: object) -> None:
        """A message to a target: it arrives, but for each so many."""
        self.messages += 1
        if self.messages % FAILS_EVERY == 0:
            raise outbound.Failed("The target answered 503.")

    def _probe(self, count: int, every: float, _seconds: float, _send: object) -> list[Tick]:
        return [Tick(self.lab.now + number * every, "lambda", OK, 200, 12, "") for number in range(count)]

    def _document(self, slug: str) -> dict[str, object]:
        found = self.lab.cloud.applications[slug]
        rules = [rule.arn for rule in found.listener.rules if not rule.is_default]
        routes = [{"listener_arn": found.listener.arn}, *({"rule_arn": arn} for arn in rules)]
        return {
            "application": {
                "slug": slug, "name": found.name, "region": self.lab.world.region,
                "alarms": [alarm.settings.name for alarm in found.alarms], "probe_url": f"https://{slug}.invalid/env",
            },
            "lambda": {
                "function_name": found.function.settings.name, "target_group_arn": found.lambda_group.arn,
            },
            "ecs": {
                "cluster": found.service.cluster, "service": found.service.name,
                "target_group_arn": found.ecs_group.arn,
            },
            "routes": routes,
            "policy": {"failover_count": 3, "min_healthy": 2, "bake_seconds": 120, "dwell_seconds": 180},
            "drills": {
                "schedule": f"30 {DRILL_HOUR + SLUGS.index(slug)} * * 2",
                "rehearsal_schedule": f"30 {DRILL_HOUR} * * 4",
            },
        }  # fmt: skip


class _Fleet:
    """A scope, one application read after the other: what the batched reading saves is measured elsewhere."""

    def __init__(self, _scope: Configured) -> None: ...

    def observe(
        self, applications: Sequence[Configured], _known: Mapping[str, Snapshot], _busy: Collection[str]
    ) -> dict[str, Snapshot]:
        return {each.slug: connections.connect(each).observe() for each in applications}


def _connect(virtual: VirtualLab) -> object:
    known: dict[str, Adapter] = {}

    def connect(application: Configured) -> Adapter:
        if application.slug not in known:
            aws = clients(virtual, application.region, Unwatched())
            known[application.slug] = Adapter(application, aws, lambda: virtual.now)
        return known[application.slug]

    return connect


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
