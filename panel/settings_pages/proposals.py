"""A configuration that somebody wants: judged, compared with what is there, and only then taken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from failover import config
from panel import audit
from panel.accounts import roles
from panel.accounts.models import DEFAULT, Team
from panel.accounts.roles import Person
from panel.fleet.applications import Document, Import, ImportRefused, foreseen
from panel.fleet.models import Application
from panel.settings_pages.permitted import require

IMPORT, GIVE_AWAY = "application.import", "team.manage"


@dataclass(frozen=True)
class Proposal:
    """`seen` stands for what is there now: confirmed is the difference from that, and from nothing else.

    `needs` is the line of the role table that taking it takes.
    """

    result: Import
    seen: str
    needs: str
    owner: Team


def judge(person: Person, document: Document, source: str) -> Proposal:
    """Raises ConfigError, ImportRefused, and PermissionDenied where the application is another team's."""
    wanted = config.parse(document, source)
    known = Application.every.filter(slug=wanted.slug).select_related("team").first()
    team = wanted.team or DEFAULT
    needs = IMPORT
    if known is None:
        _require_own_team(person, team, source)
    else:
        require(person, IMPORT, known.team_id)
        if known.team.slug != team:
            needs = GIVE_AWAY
            require(person, GIVE_AWAY, None)
    result = foreseen(document, source)
    return Proposal(result, seen_of(known), needs, result.application.team)


def seen_of(application: Application | None) -> str:
    document: Any = application.document if application else None
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _require_own_team(person: Person, slug: str, source: str) -> None:
    """Which other teams there are is not told."""
    if roles.may(person, IMPORT, None):
        return
    own = list(roles.teams(person, IMPORT).values_list("slug", flat=True))
    if slug in own:
        return
    if Team.objects.filter(slug=slug).exists():
        audit.deny(f"Applications of the team {slug} are for its administrators to import.")
    raise ImportRefused(
        _("%(source)s: application.team must be a team whose administrator you are: %(own)s.")
        % {"source": source, "own": ", ".join(own)}
    )
