"""Alerts: customer and advocate are told, once a period, that usage has passed a threshold."""
