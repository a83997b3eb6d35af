"""What is happening, in one sentence: where traffic is and since when, what comes next, and why not."""

from __future__ import annotations

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from failover import codec
from failover.demand import project
from failover.model import Memory, Position
from panel.fleet.applications import configuration
from panel.operations.models import Hold, Operation, Refusal
from panel.web.standing import Standing
from panel.web.times import moment, span
from panel.words import gettext_lazy

PURSUING = {
    Operation.Goal.FAILOVER: gettext_lazy("Failing over to ECS"),
    Operation.Goal.FAILBACK: gettext_lazy("Failing back to Lambda"),
}
NAMES = {
    Operation.Goal.FAILOVER: gettext_lazy("Failover"),
    Operation.Goal.FAILBACK: gettext_lazy("Failback"),
    Operation.Goal.SET_WEIGHTS: gettext_lazy("Weights"),
}
ARRIVED = {Position.ECS: Operation.Goal.FAILOVER, Position.LAMBDA: Operation.Goal.FAILBACK}
WAYS = {Operation.Trigger.API: "API", Operation.Trigger.DRILL: gettext_lazy("drill")}
NOBODY = {
    Operation.Trigger.AUTOMATIC: gettext_lazy("automation"),
    Operation.Trigger.DRILL: gettext_lazy("drill"),
    Operation.Trigger.API: "API",
    Operation.Trigger.MANUAL: gettext_lazy("the command line"),
}
BRAKES = ("kill_switch", "mode")  # rules by which people keep automation back, until they change their mind
PLAIN = SafeString("")


def title(operation: Operation) -> str:
    """`Failover #12`"""
    name = "Tasks" if operation.prepares else NAMES[Operation.Goal(operation.goal)]
    return f"{name} #{operation.pk}"


def pursuing(operation: Operation) -> str:
    """What an operation is about: `Failing over to ECS`, `Setting weights to 90/10`."""
    if operation.prepares:
        return _("Starting ECS tasks, weights stay")
    weights = f"{operation.weight_lambda}/{operation.weight_ecs}"
    return PURSUING.get(
        Operation.Goal(operation.goal), _("Setting weights to %(weights)s (Lambda/ECS)") % {"weights": weights}
    )


def who(operation: Operation) -> str:
    """`ada`, `ada (API)`, `automation`, `the command line`"""
    if operation.requested_by is None:
        return NOBODY[Operation.Trigger(operation.trigger)]
    way = WAYS.get(Operation.Trigger(operation.trigger))
    return f"{operation.requested_by.get_username()} ({way})" if way else operation.requested_by.get_username()


def situation(standing: Standing, *, figures: bool = True) -> SafeString:
    """The one sentence about an application; without `figures` only what is worth being read out when it changes."""
    if standing.read_at is None:
        return escape(_("AWS has not been read yet. That takes seconds once the worker and beat run."))
    if standing.stale:
        return format_html(
            _("Not known: AWS was last read {}, things may have changed since."), moment(standing.read_at)
        )
    if standing.active:
        return _running(standing.active, figures=figures)
    return _resting(standing)


def _running(operation: Operation, *, figures: bool) -> SafeString:
    if operation.cancel_requested:
        return format_html(_("Cancelling {}. {}"), title(operation), sentence(operation.headline))
    if not operation.headline:
        return format_html(_("{}. About to start."), pursuing(operation))
    detail = format_html(" {}", sentence(operation.detail)) if operation.detail and figures else PLAIN
    return format_html("{}. {}{}", pursuing(operation), sentence(operation.headline), detail)


def _resting(standing: Standing) -> SafeString:
    return format_html("{}{}", _place(standing), _next(standing))


def _place(standing: Standing) -> SafeString:
    since = _since(standing)
    split = standing.snapshot.split if standing.snapshot else None
    match standing.position:
        case Position.LAMBDA:
            return format_html(_("All traffic on Lambda{}."), since)
        case Position.ECS:
            return format_html(_("All traffic on ECS{}{}."), since, _by(standing))
        case Position.SPLIT if split:
            return format_html(_("Split {}/{} between Lambda and ECS{}."), split.lambda_, split.ecs, since)
        case Position.SPLIT:
            return escape(_("Routes disagree about where traffic goes."))
        case _:
            return format_html(_("Where traffic goes can't be read: {}"), _routes_problem(standing))


def _routes_problem(standing: Standing) -> str:
    routes = standing.snapshot.routes if standing.snapshot else None
    if routes is None or routes.value is None:
        return routes.problem if routes else _("not read yet")
    return next((route.problem for route in routes.value.managed if route.problem), _("no weights found"))


def _by(standing: Standing) -> SafeString:
    """Who or what brought it there."""
    last = standing.last
    if not _since(standing) or last is None:
        return PLAIN
    if last.requested_by is None and last.automatic:
        return format_html(_(", by automation: {}"), sentence(last.reason.split(": ")[0]).removesuffix("."))
    return format_html(_(", by {}: “{}”"), who(last), last.reason)


def _since(standing: Standing) -> SafeString:
    """Since when, where our own last operation brought it there."""
    last = standing.last
    if last is None or last.status != Operation.Status.SUCCEEDED or last.finished_at is None:
        return PLAIN
    if ARRIVED.get(standing.position) == last.goal or last.goal == Operation.Goal.SET_WEIGHTS:
        return format_html(_(" since {}"), moment(last.finished_at))
    return PLAIN


def _next(standing: Standing) -> SafeString:
    """What went wrong last, and what comes next or stands in the way."""
    return format_html("{}{}", _failure(standing), _outlook(standing))


def _failure(standing: Standing) -> SafeString:
    failed = standing.failed
    return format_html(_(" {} failed. {}"), title(failed), sentence(failed.error)) if failed else PLAIN


def _outlook(standing: Standing) -> SafeString:
    if standing.hold:
        alarm = _(" In alarm, and nothing starts by itself.") if _calls(standing) else ""
        return format_html("{} {}", alarm, held(standing.hold))
    if standing.position is Position.ECS:
        return _back(standing)
    return _why_still_here(standing) if standing.alarming else PLAIN


def _calls(standing: Standing) -> bool:
    return bool(standing.alarming) and standing.position is not Position.ECS


def _back(standing: Standing) -> SafeString:
    if standing.alarming:
        return escape(_(" The alarm is still on, so it stays there."))
    kept = _kept_back(standing)
    if kept:
        return format_html(_(" Not back yet: {}"), kept)
    refusal = standing.refusal(Operation.Goal.FAILBACK)
    return format_html(_(" Not back yet. {}"), sentence(refusal.reason)) if refusal else PLAIN


def _why_still_here(standing: Standing) -> SafeString:
    kept, refusal = _kept_back(standing), standing.refusal(Operation.Goal.FAILOVER)
    if kept and (refusal is None or refusal.rule not in BRAKES):
        return format_html(_(" In alarm; {}"), kept)
    if refusal:
        return format_html(_(" In alarm, and not failing over. {}"), sentence(refusal.reason))
    return escape(_(" In alarm; automation decides within seconds."))


def _kept_back(standing: Standing) -> str:
    """What people keep automation back with, other than a hold; empty where nothing does."""
    if standing.kill_switch:
        return _("the kill switch is on, so nothing starts by itself.")
    if standing.application.mode != "auto":
        return _("mode is %(mode)s, so nothing starts by itself.") % {"mode": standing.application.mode}
    return ""


def held(hold: Hold) -> SafeString:
    everywhere = "" if hold.application_id else _(" (all applications)")
    return format_html(_("Held{} by {} until {}: “{}”"), everywhere, hold.owner, moment(hold.expires_at), hold.reason)


def brings_home(standing: Standing) -> SafeString:
    """What an automatic failback waits for, with the figure of now; empty while traffic is where it belongs."""
    snapshot = standing.snapshot
    if snapshot is None or standing.stale or standing.position is not Position.ECS:
        return PLAIN
    memory = codec.decode(Memory, standing.application.memory)
    policy = configuration(standing.application).policy
    if not memory.failover_automatic:
        return escape(_("It was moved there by hand, so automation leaves it there: fail back by hand."))
    projection = project(policy, snapshot, memory, standing.now)
    dwell = span(policy.dwell_seconds * memory.dwell_factor)
    if projection.concurrency is None or projection.ceiling is None:
        return format_html(
            _("It fails back once alarms were OK for {} and demand is known to fit Lambda: {}."),
            dwell,
            projection.reason,
        )
    return format_html(
        _("It fails back once alarms were OK for {} and projected concurrency stays under {}: now {}."),
        dwell,
        f"{projection.ceiling:.0f}",
        f"{projection.concurrency:.0f}",
    )


def why_not(standing: Standing) -> Refusal | None:
    """The refusal that explains why nothing starts just now."""
    if standing.active:
        return None
    if standing.position in (Position.ECS, Position.SPLIT):
        return standing.refusal(Operation.Goal.FAILBACK)
    return standing.refusal(Operation.Goal.FAILOVER)


def sentence(text: str) -> str:
    """`text` with a capital and a full stop; texts from below may lack either."""
    bare = text.strip()
    if not bare:
        return ""
    return bare[0].upper() + bare[1:] + ("" if bare[-1] in ".!?…" else ".")
