"""The operator's pages."""

from django.urls import path, re_path

from panel.web import acting, drills, events, lists, trail, views

app_name = "web"
urlpatterns = [
    path("", views.fleet, name="fleet"),
    path("applications/<slug:slug>/", views.application, name="application"),
    path("applications/<slug:slug>/history/", views.history, name="history"),
    path("applications/<slug:slug>/failover/", acting.on_application, {"name": "failover"}, name="failover"),
    path("applications/<slug:slug>/failback/", acting.on_application, {"name": "failback"}, name="failback"),
    path("applications/<slug:slug>/weights/", acting.on_application, {"name": "set_weights"}, name="set_weights"),
    path("applications/<slug:slug>/hold/", acting.on_application, {"name": "hold"}, name="hold"),
    path("applications/<slug:slug>/release/", acting.on_application, {"name": "release"}, name="release"),
    path("applications/<slug:slug>/mode/", acting.on_application, {"name": "mode"}, name="mode"),
    path("applications/<slug:slug>/acknowledge/", acting.on_application, {"name": "acknowledge"}, name="acknowledge"),
    path("applications/<slug:slug>/drill/", acting.on_application, {"name": "drill"}, name="drill_start"),
    path("applications/<slug:slug>/rehearsal/", acting.on_application, {"name": "rehearsal"}, name="rehearsal_start"),
    path("drills/", drills.drills, name="drills"),
    path("drills/<int:pk>/", drills.drill, name="drill"),
    path("drills/<int:pk>/abort/", acting.on_drill, {"name": "abort"}, name="abort"),
    path("kill-switch/on/", acting.on_panel, {"name": "on"}, name="kill_switch_on"),
    path("kill-switch/off/", acting.on_panel, {"name": "off"}, name="kill_switch_off"),
    path("hold/", acting.on_panel, {"name": "hold_all"}, name="hold_all"),
    path("release/", acting.on_panel, {"name": "release_all"}, name="release_all"),
    path("operations/", lists.operations, name="operations"),
    path("operations/<int:pk>/", views.operation, name="operation"),
    path("operations/<int:pk>/cancel/", acting.on_operation, {"name": "cancel"}, name="cancel"),
    path("operations/<int:pk>/retry/", acting.on_operation, {"name": "retry"}, name="retry"),
    path("events/", lists.events, name="events"),
    path("events/<int:pk>/", events.event, name="event"),
    path("refusals/", lists.refusals, name="refusals"),
    path("audit/", trail.audit, name="audit"),
    re_path(r"^audit/audit\.(?P<kind>csv|json)$", trail.download, name="audit_download"),
]
