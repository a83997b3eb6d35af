"""The pages of allauth that this panel has, each named: what is not here does not exist.

There is no sign-up and no e-mail, and nobody joins accounts. Without the old one a password is set through a link
alone, which an administrator makes and hands over (`panel.accounts.members`).
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from allauth.usersessions import views as sessions
from django.urls import path, re_path

from panel.accounts import pages, single_sign_on

urlpatterns = [
    path("", pages.account, name="account"),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", pages.back, name="account_set_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("reauthenticate/single-sign-on/", single_sign_on.prove_page, name="account_prove_sign_on"),
    path("sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("oidc/<str:provider_id>/login/", single_sign_on.login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", single_sign_on.callback, name="openid_connect_callback"),
    path("2fa/", pages.back, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("2fa/webauthn/", pages.back, name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", keys.add_webauthn, name="mfa_add_webauthn"),
    path("2fa/webauthn/reauthenticate/", keys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", keys.remove_webauthn, name="mfa_remove_webauthn"),
]
