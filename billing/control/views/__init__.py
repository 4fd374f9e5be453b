"""The doors of a run's desk."""
