"""What people are told by message and by the clock; Celery looks for an app's tasks here."""

from o2b.people.notices.tasks import mail_notices, sweep_mail

__all__ = ["mail_notices", "sweep_mail"]
