"""The panel's pages, webhook and health checks for a WSGI server: `gunicorn panel.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from panel import collecting, environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
environment.require_secret()
application = get_wsgi_application()

collecting.leave_out_what_is_loaded()
