"""Settings, read from the environment only; of project code, only how logs are written."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from o2b import beat, logs

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this process is -----------------------------------------------------------------------
DEBUG = env.bool("O2B_DEBUG", default=False)
DEMO = env.bool("O2B_DEMO", default=False)
ROLE = env.str("O2B_ROLE", default="web")  # web, worker or beat
HOME = Path(env.str("O2B_HOME", default=str(BASE_DIR / ".o2b"))).expanduser().resolve()
HTTPS = env.bool("O2B_HTTPS", default=not (DEBUG or DEMO))

# --- What O2B asks of its owner -----------------------------------------------------------------
PUBLIC_URL = env.str("O2B_PUBLIC_URL", default="http://localhost:8000").rstrip("/")
APPROVER = env.str("O2B_APPROVER", default="")  # approves what `bill_month --finalise` opened
PROVISIONING_URL = env.str("O2B_PROVISIONING_URL", default="")
O2B_PUBLIC_URL, O2B_APPROVER, O2B_PROVISIONING_URL = PUBLIC_URL, APPROVER, PROVISIONING_URL
O2B_DEMO, O2B_HOME = DEMO, HOME
O2B_COMPLAINT_DAYS = env.int("O2B_COMPLAINT_DAYS", default=2)  # working days until it is overdue
# Outside systems sign their call-backs with it; empty: derived from the secret key.
O2B_CALLBACK_SECRET = env.str("O2B_CALLBACK_SECRET", default="")

# The kinds of automatic work, by the names that delivery plans use; add your own by dotted name.
O2B_TASK_HANDLERS = {
    "activation": "orders.kinds.plain.ACTIVATION",
    "appointment": "orders.kinds.visits.APPOINTMENT",
    "approval": "orders.kinds.approvals.APPROVAL",
    "change_service": "subscriptions.changes.handler.CHANGE_SERVICE",
    "credit_check": "orders.kinds.money.CREDIT_CHECK",
    "email": "orders.kinds.letters.EMAIL",
    "licence_key": "orders.kinds.licences.LICENCE_KEY",
    "payment": "orders.kinds.money.PAYMENT",
    "vendor_cancel": "orders.kinds.vendors.VENDOR_CANCEL",
    "vendor_order": "orders.kinds.vendors.VENDOR_ORDER",
    "wait": "orders.kinds.waits.WAIT",
    "http_provisioning": "orders.kinds.provisioning.HTTP_PROVISIONING",
}

# Who prices and orders the lines of quotes that change what is in service, by dotted name.
O2B_QUOTED_CHANGES = {
    "promise": "subscriptions.quoting.promising.promise",
    "revise": "subscriptions.quoting.drafting.copy_changes",
    "order": "subscriptions.quoting.ordering.order_changes",
}

# Who knows tax rates, by dotted name: the table of this house, or an outside engine (docs/tax.md).
O2B_TAX_RATES = env.str("O2B_TAX_RATES", default="o2b.taxes.selectors.rates_from_table")

# --- Django -------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="")
SECRET_KEY = env.str("O2B_SECRET_KEY", default="")
if not SECRET_KEY:
    if DATABASE_URL and not DEBUG:
        raise ImproperlyConfigured("O2B_SECRET_KEY is not set; it signs sessions and quote links.")
    # Without a database there is nothing to sign: a key for this process alone (check, mypy).
    SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = env.list("O2B_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("O2B_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "o2b.urls"
WSGI_APPLICATION = "o2b.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_fsm",
    "pgtrigger",
    "csp",
    "o2b.apps.O2bConfig",
    "o2b.people",
    "o2b.customers",
    "o2b.catalog",
    "o2b.taxes",
    "o2b.clocks",
    "quotes",
    "orders",
    "subscriptions",
    "billing",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "o2b.web.middleware.RefusalMiddleware",
]
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
                "django.template.context_processors.i18n",
                "o2b.web.context.frame",
                "o2b.people.notices.context.bell",
            ]
        },
    }
]

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
LOGIN_URL = "people:login"
LOGIN_REDIRECT_URL = "people:home"
LOGOUT_REDIRECT_URL = LOGIN_URL
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Seconds until a client that sends usage and falls silent is given up.
O2B_USAGE_SILENCE = env.int("O2B_USAGE_SILENCE", default=20)

# --- Mail: without a server of its own, letters are files in O2B_HOME/mail -----------------------
vars().update(env.email_url("O2B_EMAIL_URL", default=f"filemail:///{HOME}/mail"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("O2B_EMAIL_FROM", default="O2B <o2b@localhost>")

# --- Safety in the browser ----------------------------------------------------------------------
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("O2B_HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("O2B_BEHIND_PROXY", default=False):  # only then is the header somebody's we trust
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# A delivery plan of a hundred steps is one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Postgres -----------------------------------------------------------------------------------
if DATABASE_URL:
    _database: dict[str, Any] = env.db_url_config(DATABASE_URL)
    if _database.get("ENGINE") not in {
        "django.db.backends.postgresql",
        "django.db.backends.postgresql_psycopg2",
    }:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://")
    _database["ENGINE"] = "django.db.backends.postgresql"
    _options: dict[str, Any] = _database.setdefault("OPTIONS", {})
    _database["HOST"] = _database["HOST"] or _options.pop("host", "")
else:  # the name of the folder is the message that a connection attempt shows
    _options = {}
    _database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "o2b",
        "HOST": "/DATABASE_URL-is-not-set",
        "OPTIONS": _options,
    }
_database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if ROLE == "worker":  # each worker has a core of its own; parallel query only adds start-up cost
    _options["options"] = (
        f"{_options.get('options', '')} -c max_parallel_workers_per_gather=0".strip()
    )
    _database["CONN_MAX_AGE"] = None  # what its session has learnt is worth keeping
_database.setdefault("TEST", {})
DATABASES = {"default": _database}

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("O2B_STATIC_ROOT", default=str(HOME / "static")))
# Collected files are served by their hashed names; where nothing was collected, from the source.
_collected = (STATIC_ROOT / "staticfiles.json").exists() and not (DEBUG or DEMO)
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not _collected
_static_storage = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if _collected or ROLE == "collect"
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _static_storage},
}
MEDIA_ROOT = HOME / "media"

# --- REST ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "o2b.api.problems.exception_handler",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "o2b.api.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=env.int("O2B_TOKEN_HOURS", default=10)),
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "O2B",
    "DESCRIPTION": "From quote to paid invoice.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Celery -------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
QUEUE_PREFIX = env.str("O2B_QUEUE_PREFIX", default="")  # lets several houses share one Redis
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": QUEUE_PREFIX,
    "visibility_timeout": 1800,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "max_retries": 0,  # publishing never waits: the sweeper sends again what was not sent
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [Queue(name) for name in ("fulfilment", "billing", "default")]
CELERY_TASK_ROUTES = {
    "orders.*": {"queue": "fulfilment"},
    "subscriptions.*": {"queue": "fulfilment"},
    "billing.*": {"queue": "billing"},
}
CELERY_BEAT_SCHEDULE = beat.SCHEDULE
CELERY_BEAT_SCHEDULER = "o2b.steady:SteadyScheduler"
O2B_DAILY_WORK, O2B_MACHINE_WORK = beat.DAILY_WORK, beat.MACHINE_WORK
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")

# --- Logging ------------------------------------------------------------------------------------
LOGGING = logs.configure(
    level=env.str("O2B_LOG_LEVEL", default="INFO").upper(), for_people=DEBUG or DEMO
)
