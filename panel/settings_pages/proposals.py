"""A configuration that somebody wants: judged, compared with what is there, and only then taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.translation import gettext as _

import failover.model
from failover import config
from panel import audit
from panel.accounts import roles
from panel.accounts.models import DEFAULT, Team
from panel.accounts.roles import Person
from panel.fleet.applications import Document, Import, ImportRefused, OwnedElsewhere, configuration, foreseen
from panel.fleet.models import Application
from panel.settings_pages.permitted import require

T = TypeVar("T")

IMPORT, GIVE_AWAY, OWN_CREDENTIALS = "application.import", "team.manage", "application.own_credentials"


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
    _require_role(person, wanted, known, source)
    result = told_to(person, lambda: foreseen(document, source))
    return Proposal(result, seen_of(known), needs, result.application.team)


def _require_role(person: Person, wanted: failover.model.Application, known: Application | None, source: str) -> None:
    """A team reaches with its own roles what trusts its external id, and nothing with the panel's credentials. What is
    acted upon with these already may be changed by its team, but not pointed at other things.
    """
    if wanted.role_arn or roles.may(person, OWN_CREDENTIALS, None):
        return
    if known is not None and known.document and _named(configuration(known)) == _named(wanted):
        return
    audit.deny(f"Only an administrator of the panel has {wanted.slug} acted upon with the panel's own credentials.")
    raise ImportRefused(
        f"{source}: application.role_arn must name a role in {wanted.account} that trusts the panel with your team's "
        f"external id. Without one the panel's own credentials would be used, which an administrator of the panel "
        f"alone may have done."
    )


def _named(wanted: failover.model.Application) -> tuple[Any, ...]:
    """What of AWS it names."""
    return (
        wanted.role_arn, wanted.region, wanted.function_name, wanted.lambda_target_group_arn, wanted.cluster,
        wanted.service, wanted.ecs_target_group_arn, wanted.routes, set(wanted.alarms), set(wanted.prewarm_alarms),
        set(wanted.drills.blocking_alarms), set(wanted.drills.aborting_alarms), wanted.lease_table,
    )  # fmt: skip


def told_to(person: Person, importing: Callable[[], T]) -> T:
    """What `importing` answers. A refusal names what the person may see, and no other team's application."""
    try:
        return importing()
    except OwnedElsewhere as refused:
        if roles.may(person, "view", refused.owner.team_id):
            raise
        raise ImportRefused(refused.hidden) from None


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
