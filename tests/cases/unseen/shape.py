"""What one of them is: topic, given, conventions, expect."""

from typing import Any

Case = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
