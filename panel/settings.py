"""Django's settings, all of them derived from the environment (`panel.environment`)."""

from __future__ import annotations

import logging

from csp.constants import NONE, SELF

from panel import environment, logs, sign_on

ENVIRONMENT = environment.read()
BASE_DIR = environment.BASE_DIR

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = list(ENVIRONMENT.hosts)
PANEL_BASE_URL = ENVIRONMENT.base_url
PANEL_LIVE_PORT = ENVIRONMENT.live_port
PANEL_OBSERVE_SECONDS = ENVIRONMENT.observe_seconds
PANEL_WEBHOOK_HEADER = ENVIRONMENT.webhook_header
PANEL_METRICS_TOKEN = ENVIRONMENT.metrics_token
PANEL_HEARTBEAT_URL = ENVIRONMENT.heartbeat_url
PANEL_OUTBOUND_ALLOW = ENVIRONMENT.outbound_allow
PANEL_AUDIT_DAYS = ENVIRONMENT.audit_days
PANEL_ALIVE_PATH = ENVIRONMENT.alive_path
PANEL_SIGN_ON = ENVIRONMENT.sign_on
PANEL_PASSWORD_LOGIN = ENVIRONMENT.password_login
PANEL_REQUIRE_MFA = ENVIRONMENT.require_mfa
PANEL_SESSION_HOURS = ENVIRONMENT.session_hours
REDIS_URL = ENVIRONMENT.redis_url
DATABASES = {"default": ENVIRONMENT.database}
CACHES = {"default": {"BACKEND": "panel.shared_cache.SharedCache", "LOCATION": "panel"}}  # what limits count
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "panel.fleet",
    "panel.ingest",
    "panel.operations",
    "panel.probing",
    "panel.drills",
    "panel.accounts",
    "panel.api",
    "panel.audit",
    "panel.watch",
    "panel.notify",
    "panel.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "ninja",
    "csp",
]

MIDDLEWARE = [
    "panel.requests.RequestId",
    "panel.audit.middleware.AuditOrigin",  # after the request's id, before the first that may turn somebody away
    "panel.front.FrontDoor",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "panel.security.ContentSecurityPolicy",
    "panel.security.BrowserLimits",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "panel.accounts.middleware.LoginRequired",
]

ROOT_URLCONF = "panel.urls"
WSGI_APPLICATION = "panel.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "panel.web.context.brakes",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English")]  # and each with a catalogue in locale/; the browser's preference chooses
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Served from the packages and folders where the files lie: no collecting step that a start could forget.
STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "panel" / "static"] if folder.is_dir()]
WHITENOISE_USE_FINDERS = True

# ---- people ----

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # older ones; each is stored anew at its next login
]
ACCOUNT_ADAPTER = "panel.accounts.adapters.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # until it ends: panel.accounts.sessions
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
SOCIALACCOUNT_ADAPTER = "panel.accounts.single_sign_on.SingleSignOn"
SOCIALACCOUNT_PROVIDERS = sign_on.providers(PANEL_SIGN_ON)
# A link, since a form's answer may lead to no other host (the policy's form-action). Whoever makes somebody follow it
# signs them in as themselves.
SOCIALACCOUNT_LOGIN_ON_GET = True
MFA_ADAPTER = "panel.accounts.adapters.SecondFactors"
MFA_FORMS = {
    "authenticate": "panel.accounts.second_factor.AuthenticateForm",
    "reauthenticate": "panel.accounts.second_factor.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Failover panel"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nothing here rests on an address
MFA_REAUTHENTICATION_REQUIRED = False  # panel.accounts.middleware asks, by the same rule as everywhere
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.https  # http is for this machine alone: panel.environment
# The address that login attempts are counted by; behind https the last hop of X-Forwarded-For is our load balancer's.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if ENVIRONMENT.https else 0
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# ---- the browser ----

SESSION_ENGINE = "panel.accounts.sessions"
SESSION_COOKIE_AGE = ENVIRONMENT.session_hours * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_HTTPONLY = True
if ENVIRONMENT.https:
    # With this prefix no sister host and no plain connection can set them.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = ENVIRONMENT.https
# Gunicorn speaks plain HTTP; a load balancer ends TLS and always sets this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.https
# Browsers' preload lists take years to leave: the owner of the domain decides about that, not this panel.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "panel.audit.middleware.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],  # and the live updates' port: panel.security
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
    },
}

LOGGING_CONFIG = None
# A task's failure is a line; its start and success are not: there are several a second.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_RETRY_LOG_LEVEL = logging.DEBUG  # and of a task that had expired
DJANGO_STRUCTLOG_CELERY_TASK_FAILURE_LOG_LEVEL = logging.ERROR
logs.configure(readable=DEBUG)
