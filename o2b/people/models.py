"""User: a person who works here; what one may do comes from one's groups."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Django's user, ours from the first migration so that it can grow."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username
