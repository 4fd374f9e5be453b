"""What gunicorn serves to the bench: the product, and the yardstick beside it."""

from django.conf import settings

from o2b.wsgi import application

settings.ROOT_URLCONF = "billing.desk.usagebench.bare"
settings.ALLOWED_HOSTS = ["127.0.0.1"]
# A session that ended would take its processor time along.
settings.DATABASES["default"]["CONN_MAX_AGE"] = None

__all__ = ["application"]
