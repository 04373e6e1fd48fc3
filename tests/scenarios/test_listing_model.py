"""The model of listings that scenarios expect by: worked by hand, and true to the rules for any keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios._listing import ALPHABET, TREE, Entry, listing, ordered

NAMES = st.lists(st.text("aAb/-é\uffee\U0001f600", min_size=1, max_size=6), unique=True, max_size=12)


def test_order_is_that_of_utf_8_bytes() -> None:
    """Upper case is before lower case, "/" between "." and "0", and U+1F600 last."""
    expected = ["B", "Test", "a", "d-1", "d.1", "d/1", "d0", "d_1", "test_1", "test_10", "test_2", "~"]
    assert ordered(ALPHABET) == [*expected, "é", "中", "\uffee", "\U0001f600"]


def test_utf_16_would_order_otherwise() -> None:
    """The alphabet tells byte order from the string order of Java and JavaScript."""
    assert sorted(ALPHABET, key=lambda name: name.encode("utf-16-be")) != ordered(ALPHABET)


def test_folds_up_to_the_first_delimiter_behind_the_prefix() -> None:
    """Each group becomes one entry, in the place of its keys."""
    shown = listing(TREE, delimiter="/")
    assert [name for name, _ in shown.entries] == ["A", "a", "b-1", "b/", "b0", "c/", "d/", "e/", "f", "g/"]
    assert shown.prefixes == ["b/", "c/", "d/", "e/", "g/"]
    assert shown.keys == ["A", "a", "b-1", "b0", "f"]


def test_lists_the_children_of_a_prefix() -> None:
    """The search for the delimiter starts behind the prefix."""
    assert listing(TREE, "c/", "/").entries == (Entry("c/x/", folded=True), Entry("c/y", folded=False))


def test_a_prefix_need_not_end_in_the_delimiter() -> None:
    """A prefix is the start of a string, not a folder."""
    assert listing(TREE, "b", "/").entries == (("b-1", False), ("b/", True), ("b0", False))


def test_a_key_equal_to_the_prefix_is_shown_itself() -> None:
    """Below itself such a key is a key; from above it is part of its group."""
    assert listing(["p/", "p/1", "q"], "p/", "/").keys == ["p/", "p/1"]
    assert listing(["p/", "p/1", "q"], "", "/").entries == (("p/", True), ("q", False))


def test_a_delimiter_of_several_characters_folds_only_where_it_is_whole() -> None:
    """Half a delimiter folds nothing, and the first whole one counts."""
    assert listing(["a-b", "a--b", "a---c", "d"], delimiter="--").entries == (
        ("a--", True),
        ("a-b", False),
        ("d", False),
    )


def test_after_is_exclusive() -> None:
    """A listing starts behind `after`, whether that is a key or not."""
    assert listing(["a", "b", "c"], after="b").keys == ["c"]
    assert listing(["a", "c"], after="b").keys == ["c"]


def test_first_counts_keys_and_prefixes_alike() -> None:
    """A page of n has n entries of either kind."""
    page = listing(TREE, delimiter="/").first(4)
    assert (page.keys, page.prefixes, len(page)) == (["A", "a", "b-1"], ["b/"], 4)


@given(NAMES, st.sampled_from(["", "a", "a/", "é"]), st.sampled_from(["", "/", "-", "aA", "b/"]))
def test_every_key_is_covered_by_exactly_one_entry(names: list[str], prefix: str, delimiter: str) -> None:
    """Entries are unique, ordered, folded where they can be, and lose no key."""
    entries = listing(names, prefix, delimiter).entries
    assert len(set(entries)) == len(entries)
    assert [name.encode() for name, _ in entries] == sorted(name.encode() for name, _ in entries)
    for name in names:
        covering = [e for e in entries if e.name == name or (e.folded and name.startswith(e.name))]
        assert len(covering) == (1 if name.startswith(prefix) else 0)
    for name, folded in entries:
        rest = name[len(prefix) :]
        assert name.startswith(prefix)
        assert rest.endswith(delimiter) if folded else not delimiter or delimiter not in rest
        assert folded or name in names
