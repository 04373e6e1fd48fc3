from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import cleaned, one_line, visible, write_atomic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("grüße 漢字 🪣 café", "grüße 漢字 🪣 café"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb", "a\\x0d\nb"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("abc\u202edef", "abc[U+202E]def"),
        ("\u2066\u200b\ufeff\u2028", "[U+2066][U+200B][U+FEFF][U+2028]"),
        ("\ud800", "[U+D800]"),
        ("\uffff\U0001fffe\ufdd0", "[U+FFFF][U+1FFFE][U+FDD0]"),
        ("\U000e0041", "[U+E0041]"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, expected: str) -> None:
    """Controls, bidi overrides, invisible format characters, surrogates and noncharacters."""
    assert expected == visible(text)


@given(st.text(st.characters()))
def test_visible_text_fits_in_utf8_and_in_xml(text: str) -> None:
    """Whatever goes in, what comes out can be encoded and parsed back unchanged, and is left alone twice."""
    shown = visible(text)
    element = ET.Element("e")
    element.text = shown
    assert shown == (ET.fromstring(ET.tostring(element, "utf-8")).text or "")  # noqa: S314 - our own XML
    assert shown == visible(shown)


def test_one_line_folds_white_space_and_caps() -> None:
    """A message becomes one line of at most `cap` characters."""
    assert one_line(" a\n\n b\t c ") == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"
    assert one_line("abcde", 5) == "abcde"


def test_cleaned_reaches_every_string() -> None:
    """Keys, values and items, however deep."""
    assert cleaned({"k\u202e": ["\x1b", {"n": 1, "t": ("\x00", None)}]}) == {
        "k[U+202E]": ["\\x1b", {"n": 1, "t": ["\\x00", None]}]
    }


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """Reports are replaced whole or not at all, and no temporary file stays."""
    path = tmp_path / "deep" / "file"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new\ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert [path] == list(path.parent.iterdir())
