"""Wildcards against a matcher by definition, and policy variables."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.rules.policy_text import (
    Plain,
    Wild,
    matches,
    parse_pattern,
    resolve,
    strings,
    text_of,
    widest,
    wildcards,
)


def fits(pattern: str, text: str) -> bool:
    """What `*` and `?` mean, word for word."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


@given(pattern=st.text(st.sampled_from("ab/.\n*?"), max_size=8), text=st.text(st.sampled_from("ab/.\n*"), max_size=8))
def test_a_pattern_matches_what_the_definition_says(pattern: str, text: str) -> None:
    assert matches(wildcards(pattern), text) == fits(pattern, text)


@given(text=st.text(max_size=20))
def test_literal_text_matches_itself_alone(text: str) -> None:
    plain: Plain = (text,)
    assert matches(plain, text)
    assert not matches(plain, text + "x")
    assert text_of(plain) == text


def test_a_hostile_pattern_takes_no_noticeable_time() -> None:
    """Backtracking over forty stars would take longer than anyone waits."""
    started = time.monotonic()
    assert not matches(wildcards("*a" * 40 + "b"), "a" * 1024)
    assert not matches(wildcards("?*" * 40 + "b"), "a" * 1024)
    assert time.monotonic() - started < 2


CONTEXT = {"aws:username": "ann", "s3:prefix": "", "aws:tagkeys": ("one", "two")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("home/${aws:username}/*", ("home/", "ann", "/", Wild.MANY)),
        ("${AWS:UserName}", ("ann",)),
        ("${ aws:username }", ("ann",)),
        ("${s3:prefix}x", ("", "x")),
        ("${*}${?}${$}", ("*", "?", "$")),
        ("${aws:userid, 'nobody'}", ("nobody",)),
        ("${aws:userid, ''}", ("",)),
        ("${aws:username, 'nobody'}", ("ann",)),
        ("${aws:userid}", None),
        ("${aws:tagkeys}", None),  # several values cannot stand for one
        ("costs $5", ("costs ", "$", "5")),
        ("${open", ("$", "{open")),
    ],
)
def test_variables_are_replaced_or_leave_the_pattern_without_meaning(text: str, expected: Plain | None) -> None:
    assert resolve(parse_pattern(text, variables=True), CONTEXT) == expected


def test_a_variable_value_is_text_even_if_it_looks_like_a_pattern() -> None:
    plain = resolve(parse_pattern("${aws:username}", variables=True), {"aws:username": "*"})
    assert plain is not None
    assert matches(plain, "*")
    assert not matches(plain, "ann")


def test_the_older_version_of_the_language_has_no_variables() -> None:
    plain = resolve(parse_pattern("${aws:username}", variables=False), CONTEXT)
    assert plain == ("${aws:username}",)


def test_the_widest_form_of_a_pattern_matches_any_value_of_its_variables() -> None:
    plain = widest(parse_pattern("home-${aws:username}", variables=True))
    assert matches(plain, "home-ann")
    assert not matches(plain, "work-ann")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", ("a",)), (["a", "b"], ("a", "b")), ([], None), (["a", 1], None), ({}, None), (None, None)],
)
def test_an_element_is_a_string_or_a_list_of_them(value: object, expected: tuple[str, ...] | None) -> None:
    assert strings(value) == expected
