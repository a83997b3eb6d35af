"""Webhook keys: list, make, revoke, and how to change one without losing an event."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from panel.ingest import keys
from panel.ingest.models import WebhookKey
from panel.settings_pages.forms import KeyForm
from panel.settings_pages.permitted import permitted, typed
from panel.settings_pages.sections import form_page, page
from panel.web.forms import PlainForm

MANAGE = "webhook_key.manage"
methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@permitted(MANAGE)
def listed(request: HttpRequest) -> HttpResponse:
    rows = WebhookKey.objects.order_by("revoked_at", "-created_at")
    return page(request, "keys", {"rows": rows, **hook(request)})


@methods
@permitted(MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    form = KeyForm(typed(request))
    if request.method != "POST" or not form.is_valid():
        return _new(request, form)
    try:
        secret = keys.create(form.cleaned_data["name"])
    except keys.KeyNameError as problem:
        form.add_error("name", str(problem))
        return _new(request, form)
    return page(request, "key_made", {"name": form.cleaned_data["name"], "secret": secret, **hook(request)}, 201)


def _new(request: HttpRequest, form: KeyForm) -> HttpResponse:
    lead = [_("EventBridge sends it with every event. Its secret is shown once, on the next page.")]
    back = reverse("settings:keys")
    return form_page(request, form, needs=MANAGE, title=_("New webhook key"), button=_("Make it"), back=back, lead=lead)


def hook(request: HttpRequest) -> dict[str, str]:
    """Where events go, and the header that the key is in."""
    return {"hook": request.build_absolute_uri("/webhooks/eventbridge"), "header": settings.PANEL_WEBHOOK_HEADER}


@methods
@permitted(MANAGE)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(WebhookKey, pk=pk)
    if request.method == "POST":
        if keys.revoke(key.name):
            messages.success(
                request, _("%(name)s is revoked: EventBridge is refused with it from now on.") % {"name": key.name}
            )
        else:
            messages.warning(request, f"{key.name} was revoked already.")
        return redirect("settings:keys")
    lead = [_consequence(key)]
    return form_page(
        request,
        PlainForm(),
        needs=MANAGE,
        title=_("Revoke %(name)s") % {"name": key.name},
        button=_("Revoke"),
        back=reverse("settings:keys"),
        lead=lead,
        kind="primary danger",
    )


def _consequence(key: WebhookKey) -> str:
    others = WebhookKey.objects.filter(revoked_at=None).exclude(pk=key.pk).exists()
    if others:
        return _(
            "What still sends it is refused with 401; EventBridge tries again for 24 hours, with whatever key it has."
        )
    return _(
        "This is the only key that works: no event arrives until another one is made and the connection sends it. "
        "EventBridge tries again for 24 hours. Alarms are read anyway, only later."
    )
