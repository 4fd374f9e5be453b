"""People and groups in the admin: here they may be changed."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from o2b.people.models import User

admin.site.register(User, UserAdmin)
