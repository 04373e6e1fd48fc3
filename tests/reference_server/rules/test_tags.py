"""Tag sets: what is refused and with which elements."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.rules import tags
from reference_server.rules.tags import BUCKET_LIMIT, OBJECT_LIMIT


def pairs(*items: tuple[str, str]) -> tags.TagSet:
    return [{"Key": key, "Value": value} for key, value in items]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [("tag1", "tag1"), ("tag2", "")],
        [("k" * 128, "v" * 256)],
        [("𝟘" * 64, "Ünï 漢字 ١")],
        [("a_.:/=+-@ b", "a_.:/=+-@ b")],
        [("Aws:x", "not reserved")],
        [(f"k{number}", "") for number in range(10)],
    ],
)
def test_a_valid_tag_set_passes(items: list[tuple[str, str]]) -> None:
    tags.check(pairs(*items), OBJECT_LIMIT)


@pytest.mark.parametrize(
    ("items", "elements"),
    [
        ([("Key1", "a"), ("Key1", "b")], {"TagKey": "Key1"}),
        ([("Key1,Key2", "v")], {"TagKey": "Key1,Key2"}),
        ([("Key1", "Val1,Val2")], {"TagKey": "Key1", "TagValue": "Val1,Val2"}),
        ([("aws:prefixed", "v")], {"TagKey": "aws:prefixed"}),
        ([("", "v")], {"TagKey": ""}),
        ([("tab\t", "v")], {"TagKey": "tab\t"}),
        ([("k" * 129, "v")], {"TagKey": "k" * 129}),
        ([("𝟘" * 65, "v")], {"TagKey": "𝟘" * 65}),
        ([("k", "v" * 257)], {"TagKey": "k", "TagValue": "v" * 257}),
        ([("k", "a\nb")], {"TagKey": "k", "TagValue": "a\nb"}),
    ],
)
@pytest.mark.parametrize("limit", [OBJECT_LIMIT, BUCKET_LIMIT])
def test_an_invalid_tag_is_named(items: list[tuple[str, str]], elements: dict[str, str], limit: int) -> None:
    with pytest.raises(S3Error) as caught:
        tags.check(pairs(*items), limit)
    assert (caught.value.status, caught.value.code) == (400, "InvalidTag")
    assert caught.value.elements == elements


@pytest.mark.parametrize("limit", [OBJECT_LIMIT, BUCKET_LIMIT])
def test_one_tag_more_than_the_limit_is_a_bad_request(limit: int) -> None:
    full = pairs(*[(f"k{number}", "v") for number in range(limit)])
    tags.check(full, limit)
    with pytest.raises(S3Error) as caught:
        tags.check([*full, {"Key": "more", "Value": ""}], limit)
    assert (caught.value.status, caught.value.code) == (400, "BadRequest")
    assert str(limit) in caught.value.message


@pytest.mark.parametrize("tag", [{"Key": "k"}, {"Value": "v"}, {"Key": "k", "Value": None}, {}])
def test_a_tag_without_key_or_value_is_malformed(tag: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        tags.check([tag], OBJECT_LIMIT)
    assert caught.value.code == "MalformedXML"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("tag1=tag1&tag2=tag2&tag", [("tag", ""), ("tag1", "tag1"), ("tag2", "tag2")]),
        ("key1&&&key2", [("key1", ""), ("key2", "")]),
        ("a+b=c%20d", [("a b", "c d")]),
        ("k=%C3%A9", [("k", "é")]),
        ("a%3Db=c", [("a=b", "c")]),
    ],
)
def test_the_header_is_a_url_query(header: str, expected: list[tuple[str, str]]) -> None:
    assert tags.from_header(header) == pairs(*expected)


@pytest.mark.parametrize(
    "header",
    [
        *("key1=val1&key1=val2", "a=1&%61=2"),
        *("key1=val1,key2=val2", "a,b", "a=b=c", "TagSet=[{Key=string,Value=string}]"),
        "k=%FF",
    ],
)
def test_a_header_that_is_no_query_is_an_invalid_argument(header: str) -> None:
    with pytest.raises(S3Error) as caught:
        tags.from_header(header)
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert caught.value.elements == {"ArgumentName": "x-amz-tagging", "ArgumentValue": header}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("TagSet%3D%5B%7BKey%3Dstring%2CValue%3Dstring%7D%5D", "InvalidTag"),
        ("k=a%26b", "InvalidTag"),
        ("=v", "InvalidTag"),
        ("&".join(f"k{number}=v" for number in range(11)), "BadRequest"),
    ],
)
def test_tags_of_a_header_obey_the_rules_of_objects(header: str, code: str) -> None:
    with pytest.raises(S3Error) as caught:
        tags.from_header(header)
    assert caught.value.code == code


_WORDS = st.text("aé漢 1_.:/=+-@𝟘", min_size=1, max_size=9)


@given(st.dictionaries(_WORDS, _WORDS, max_size=10))
def test_a_header_written_by_a_form_comes_back(chosen: dict[str, str]) -> None:
    assert tags.from_header(urlencode(chosen)) == pairs(*sorted(chosen.items()))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, pairs(("old", "1"))),
        ({"Tagging": "new=2"}, pairs(("old", "1"))),
        ({"TaggingDirective": "COPY", "Tagging": "new=2"}, pairs(("old", "1"))),
        ({"TaggingDirective": "REPLACE", "Tagging": "new=2"}, pairs(("new", "2"))),
        ({"TaggingDirective": "REPLACE"}, []),
    ],
)
def test_a_copy_keeps_tags_unless_told_to_replace_them(members: dict[str, str], expected: tags.TagSet) -> None:
    assert tags.copied(members, pairs(("old", "1"))) == expected


def test_an_unknown_tagging_directive_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        tags.copied({"TaggingDirective": "KEEP"}, [])
    assert caught.value.elements == {"ArgumentName": "x-amz-tagging-directive", "ArgumentValue": "KEEP"}
