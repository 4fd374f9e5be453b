"""German is complete: each text is translated, keeps its placeholders, and is compiled."""

import ast
import gettext
import re
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parents[2] / "locale" / "de" / "LC_MESSAGES"
KEPT = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|</?\w+[^>]*>")  # placeholders and HTML tags


class Entry(NamedTuple):
    """One text of the .po: its fields by keyword ('msgid', 'msgstr[0]'), and its flags."""

    fields: dict[str, str]
    flags: set[str]

    @property
    def originals(self) -> list[str]:
        return [text for key, text in self.fields.items() if key.startswith("msgid")]

    @property
    def translations(self) -> list[str]:
        return [text for key, text in self.fields.items() if key.startswith("msgstr")]

    def compiled(self) -> dict[str | tuple[str, int], str]:
        """What gettext keeps of it: a text, or one text for each plural."""
        context = self.fields.get("msgctxt")
        name = self.fields["msgid"] if context is None else f"{context}\x04{self.fields['msgid']}"
        if "msgid_plural" not in self.fields:
            return {name: self.fields["msgstr"]}
        return {(name, form): text for form, text in enumerate(self.translations)}


def read(text: str) -> list[Entry]:
    """The texts of a .po file without its header; obsolete ones (#~) are not texts any more."""
    entries = []
    for block in re.split(r"\n{2,}", text):
        fields: dict[str, str] = {}
        flags: set[str] = set()
        keyword = ""
        for line in block.splitlines():
            if line.startswith("#,"):
                flags |= {flag.strip() for flag in line[2:].split(",")}
            elif line.startswith("msg"):
                keyword, quoted = line.split(" ", 1)
                fields[keyword] = ast.literal_eval(quoted)
            elif line.startswith('"'):
                fields[keyword] += ast.literal_eval(line)
        if fields.get("msgid"):
            entries.append(Entry(fields, flags))
    return entries


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return read((FOLDER / "django.po").read_text())


def test_read():
    text = (
        '# A comment.\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n\n'
        '#: a.py\n#, fuzzy, python-format\nmsgid ""\n"to %(x)s "\n"\\"all\\""\nmsgstr "an"\n\n'
        'msgctxt "time"\nmsgid "day"\nmsgid_plural "days"\n'
        'msgstr[0] "Tag"\nmsgstr[1] "Tage"\n\n#~ msgid "gone"\n#~ msgstr "weg"\n'
    )
    one, two = read(text)
    assert one == ({"msgid": 'to %(x)s "all"', "msgstr": "an"}, {"fuzzy", "python-format"})
    assert two.compiled() == {("time\x04day", 0): "Tag", ("time\x04day", 1): "Tage"}


def test_each_text_is_translated(entries):
    assert entries
    assert [e.originals[0] for e in entries if not all(e.translations)] == []
    assert [e.originals[0] for e in entries if "fuzzy" in e.flags] == []


def test_each_translation_keeps_its_placeholders(entries):
    assert [
        (original, translation)
        for entry in entries
        for original, translation in zip(entry.originals, entry.translations, strict=True)
        if set(KEPT.findall(original)) != set(KEPT.findall(translation))
    ] == []


def test_what_is_compiled_is_what_is_written(entries):
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)
    compiled.pop("")  # the header
    assert compiled == {key: text for entry in entries for key, text in entry.compiled().items()}
