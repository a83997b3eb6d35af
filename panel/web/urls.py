"""The operator's pages."""

from django.urls import path

from panel.web import acting, events, lists, views

app_name = "web"
urlpatterns = [
    path("", views.fleet, name="fleet"),
    path("applications/<slug:slug>/", views.application, name="application"),
    path("applications/<slug:slug>/failover/", acting.on_application, {"name": "failover"}, name="failover"),
    path("applications/<slug:slug>/failback/", acting.on_application, {"name": "failback"}, name="failback"),
    path("applications/<slug:slug>/weights/", acting.on_application, {"name": "set_weights"}, name="set_weights"),
    path("applications/<slug:slug>/hold/", acting.on_application, {"name": "hold"}, name="hold"),
    path("applications/<slug:slug>/release/", acting.on_application, {"name": "release"}, name="release"),
    path("operations/", lists.operations, name="operations"),
    path("operations/<int:pk>/", views.operation, name="operation"),
    path("operations/<int:pk>/cancel/", acting.cancel, name="cancel"),
    path("events/", lists.events, name="events"),
    path("events/<int:pk>/", events.event, name="event"),
    path("refusals/", lists.refusals, name="refusals"),
]
