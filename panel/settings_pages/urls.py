"""The settings pages."""

from django.urls import path
from django.views.generic import RedirectView

from panel.settings_pages import applications, importing, keys, onboarding, people, teams, tokens

app_name = "settings"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="settings:applications"), name="home"),
    path("applications/", applications.listed, name="applications"),
    path("applications/new/", onboarding.start, name="onboarding"),
    path("applications/import/", importing.from_toml, name="import"),
    path("applications/form/", importing.from_form, name="application_new"),
    path("applications/of/<slug:slug>/", applications.one, name="application"),
    path("applications/of/<slug:slug>/first-event/", onboarding.first_event, name="first_event"),
    path("applications/of/<slug:slug>/edit/", importing.from_form, name="application_edit"),
    path("applications/of/<slug:slug>/toml/", applications.download, name="application_toml"),
    path("applications/of/<slug:slug>/move/", applications.move, name="application_move"),
    path("applications/of/<slug:slug>/retire/", applications.retire, name="application_retire"),
    path("applications/of/<slug:slug>/restore/", applications.restore, name="application_restore"),
    path("teams/", teams.listed, name="teams"),
    path("teams/new/", teams.new, name="team_new"),
    path("teams/people/", people.listed, name="people"),
    path("teams/people/<int:pk>/password/", people.password, name="person_password"),
    path("teams/people/<int:pk>/on/", people.set_active, {"active": True}, name="person_on"),
    path("teams/people/<int:pk>/off/", people.set_active, {"active": False}, name="person_off"),
    path("teams/in/<slug:slug>/", teams.one, name="team"),
    path("teams/in/<slug:slug>/rename/", teams.rename, name="team_rename"),
    path("teams/in/<slug:slug>/people/add/", people.add, name="person_add"),
    path("teams/in/<slug:slug>/people/new/", people.new, name="person_new"),
    path("teams/in/<slug:slug>/people/<int:pk>/role/", people.set_role, name="person_role"),
    path("teams/in/<slug:slug>/people/<int:pk>/remove/", people.remove, name="person_remove"),
    path("tokens/", tokens.listed, name="tokens"),
    path("tokens/new/", tokens.new, name="token_new"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="token_revoke"),
    path("webhook-keys/", keys.listed, name="keys"),
    path("webhook-keys/new/", keys.new, name="key_new"),
    path("webhook-keys/<int:pk>/revoke/", keys.revoke, name="key_revoke"),
]
