"""The cloud: all accounts and regions of a world file, kept apart, under one clock."""

from dataclasses import replace
from random import Random

from lab.faults import Faults
from lab.iam import Access
from lab.throttling import Throttling
from lab.world import Application, Outside, World
from lab.worldfile import ApplicationTable, DynamoTable, WorldTable

Place = tuple[str, str]


class Cloud:
    """Each account has a world of its own in each region; ``faults`` are shared, ``applications`` are all by slug.

    ``region`` and ``account`` are the file's own: where an application is that names no other, and where a key belongs
    that the file does not name.
    """

    def __init__(
        self,
        table: WorldTable,
        outside: Outside,
        now: float,
        chance: Random | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.region = table.region
        self.account = table.account
        self.faults = faults or Faults()
        self.access = Access(table.users, table.roles, table.account, others_refused=table.unknown_keys == "refused")
        self.throttling = Throttling(on=table.throttling)
        self._table = table
        self._outside = outside
        self._chance = chance or Random()
        self._now = now
        self.worlds: dict[Place, World] = {}
        for place in _places(table):
            self.world_of(*place)
        self._homes = {slug: world for world in self.worlds.values() for slug in world.applications}
        self.applications: dict[str, Application] = {
            slug: self._homes[slug].applications[slug] for slug in table.applications
        }

    def home(self, slug: str) -> World:
        """The world that has the application."""
        return self._homes[slug]

    def world_of(self, account: str, region: str) -> World:
        """An account has every region, most of them empty."""
        place = account, region
        if place not in self.worlds:
            table = _part(self._table, account, region)
            self.worlds[place] = World(table, self._outside, self._now, self._chance, self.faults)
        return self.worlds[place]

    def gather(self) -> None:
        """What calls have created becomes applications, where all parts of one are there."""
        for world in self.worlds.values():
            for application in world.gather():
                self.applications[application.slug] = application
                self._homes[application.slug] = world

    def advance(self, now: float) -> None:
        self._now = now
        for world in list(self.worlds.values()):
            world.advance(now)


def _places(table: WorldTable) -> list[Place]:
    """The file's own account and region first, then the others that have applications or tables."""
    parts: list[ApplicationTable | DynamoTable] = [*table.applications.values(), *table.tables]
    return list(dict.fromkeys([(table.account, table.region), *map(table.place, parts)]))


def _part(table: WorldTable, account: str, region: str) -> WorldTable:
    """What one account has in one region."""
    place = account, region
    applications = {slug: each for slug, each in table.applications.items() if table.place(each) == place}
    tables = tuple(each for each in table.tables if table.place(each) == place)
    return replace(table, account=account, region=region, applications=applications, tables=tables)
