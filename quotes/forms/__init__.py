"""The editors of quotes and orders: what fields said, what is wrong with it, what it comes to."""

from quotes.forms.headers import AccountForm, HeaderForm
from quotes.forms.lines import Choice, EditorLine
from quotes.forms.offers import Editor
from quotes.forms.wishes import MOST_LINES, LineEditor, read_lines

__all__ = [
    "MOST_LINES",
    "AccountForm",
    "Choice",
    "Editor",
    "EditorLine",
    "HeaderForm",
    "LineEditor",
    "read_lines",
]
