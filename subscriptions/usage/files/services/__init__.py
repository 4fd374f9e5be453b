"""Verbs of files of usage: take one, say how it is read, load it, stop it, keep a mapping."""

from subscriptions.usage.files.services.loading import (
    FileNotReady,
    start_file,
    stop_file,
    take_part,
)
from subscriptions.usage.files.services.mapping import MappingRefused, map_file
from subscriptions.usage.files.services.uploading import discard_files, take_file

__all__ = [
    "FileNotReady",
    "MappingRefused",
    "discard_files",
    "map_file",
    "start_file",
    "stop_file",
    "take_file",
    "take_part",
]
