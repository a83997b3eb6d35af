"""The least that Django can do with a delivery: a view that inserts one row. `gunicorn bench.bare:application`."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from panel import environment

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": environment.read(os.environ).database},
        ROOT_URLCONF=__name__,
        SECRET_KEY="no secret is kept here",  # noqa: S106
    )
    django.setup()

from django.db import connection, models


class Body(models.Model):
    body = models.TextField()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.body


def receive(request: HttpRequest) -> HttpResponse:
    Body(body=request.body.decode()).save()
    return HttpResponse(status=202)


def make_table() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Body)


urlpatterns = [path("", receive)]
application = get_wsgi_application()
