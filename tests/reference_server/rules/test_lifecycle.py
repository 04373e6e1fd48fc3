"""Lifecycle rules: what a document may say, and when an object will expire."""

from __future__ import annotations

import calendar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.codec import Codec
from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.rules import lifecycle

MIDNIGHT = "2030-01-01T00:00:00Z"
ODD_TIME = "2030-01-01T02:02:00Z"
TAG = {"Key": "k", "Value": "v"}
OTHER_TAG = {"Key": "other", "Value": "v"}


def rule(**members: Any) -> dict[str, Any]:
    return {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 7}, **members}


def without(name: str, **members: Any) -> dict[str, Any]:
    return {key: value for key, value in rule(**members).items() if key != name}


def document(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"Rules": list(rules)}


def move(storage_class: str, **when: Any) -> dict[str, Any]:
    return {"StorageClass": storage_class, **when}


@pytest.mark.parametrize(
    "rules",
    [
        [rule()],
        [rule(Status="Disabled")],
        [without("ID"), without("ID")],
        [rule(ID="i" * 255)],
        [without("Filter", Prefix="logs/")],
        [rule(Filter={"Prefix": ""})],
        [rule(Filter={"Tag": TAG})],
        [rule(Filter={"ObjectSizeLessThan": 1})],
        [rule(Filter={"ObjectSizeGreaterThan": 1099511627776000})],
        [rule(Filter={"And": {"Prefix": "", "ObjectSizeGreaterThan": 0}})],
        [rule(Filter={"And": {"Tags": [TAG, OTHER_TAG]}})],
        [rule(Filter={"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 6}})],
        [rule(Expiration={"Date": MIDNIGHT})],
        [rule(Expiration={"ExpiredObjectDeleteMarker": True})],
        [without("Expiration", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 500})],
        [without("Expiration", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})],
        [rule(Transitions=[move("GLACIER_IR", Days=0), move("GLACIER", Days=6)])],
        [rule(Expiration={"Days": 31}, Transitions=[move("STANDARD_IA", Days=30)])],
        [rule(Expiration={"Date": MIDNIGHT}, Transitions=[move("STANDARD_IA", Date=MIDNIGHT)])],
        [without("Expiration", NoncurrentVersionTransitions=[move("ONEZONE_IA", NoncurrentDays=30)])],
        [rule(ID=str(number)) for number in range(1000)],
    ],
)
def test_a_valid_document_passes(rules: list[dict[str, Any]]) -> None:
    lifecycle.check(document(*rules))


MALFORMED: list[list[dict[str, Any]]] = [
    [],
    [rule(ID=str(number)) for number in range(1001)],
    [rule(Status="enabled")],
    [without("Status")],
    [without("Filter")],
    [rule(Prefix="a")],
    [rule(Filter={"And": {"Prefix": "test"}, "Prefix": ""})],
    [rule(Filter={"ObjectSizeGreaterThan": 500, "Prefix": ""})],
    [rule(Filter={"And": {"Prefix": "a"}})],
    [rule(Filter={"And": {"Tags": [TAG]}})],
    [rule(Filter={"And": {}})],
    [rule(Expiration={})],
    [rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})],
    [rule(Expiration={"Days": 1, "Date": MIDNIGHT})],
    [rule(Expiration={"Date": "Fri, 01 Jan 2016 00:00:00 GMT"})],
    [rule(NoncurrentVersionExpiration={})],
    [rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 2})],
    [rule(AbortIncompleteMultipartUpload={})],
    [rule(Transitions=[move("COLD", Days=1)])],
    [rule(Transitions=[{"Days": 1}])],
    [rule(Transitions=[move("GLACIER")])],
    [rule(Transitions=[move("GLACIER", Days=1, Date=MIDNIGHT)])],
    [rule(NoncurrentVersionTransitions=[move("GLACIER")])],
]


@pytest.mark.parametrize("rules", MALFORMED)
def test_a_document_outside_the_schema_is_malformed(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(S3Error) as caught:
        lifecycle.check(document(*rules))
    assert (caught.value.status, caught.value.code) == (400, "MalformedXML")


@pytest.mark.parametrize(
    ("rules", "part"),
    [
        ([rule(), rule()], "Rule ID must be unique"),
        ([rule(ID="i" * 256)], "ID length"),
        ([rule(Expiration={"Days": 0})], "'Days' for Expiration action must be a positive integer"),
        ([rule(Expiration={"Days": -1})], "'Days' for Expiration"),
        ([rule(Expiration={"Date": ODD_TIME})], "'Date' must be at midnight GMT"),
        ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})], "'NoncurrentDays' for NoncurrentVersionExpiration"),
        (
            [rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 0})],
            "'NewerNoncurrentVersions'",
        ),
        ([rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})], "'DaysAfterInitiation'"),
        ([rule(Transitions=[move("STANDARD_IA", Days=29)])], "greater than or equal to 30 for storageClass"),
        ([rule(Transitions=[move("GLACIER", Days=-1)])], "greater than or equal to 0"),
        ([rule(Transitions=[move("GLACIER", Date=ODD_TIME)])], "midnight"),
        ([rule(Transitions=[move("GLACIER", Days=7)])], "'Days' in the Expiration action for filter '(prefix=)'"),
        (
            [rule(Filter={"And": {"ObjectSizeLessThan": 9, "Prefix": "b/"}}, Transitions=[move("GLACIER", Days=7)])],
            "'Days' in the Expiration action for filter '(prefix=b/)'",
        ),
        (
            [without("Filter", Prefix="a/", Transitions=[move("GLACIER", Days=8)])],
            "'Days' in the Expiration action for prefix 'a/'",
        ),
    ],
)
def test_a_value_out_of_range_is_an_invalid_argument(rules: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(S3Error) as caught:
        lifecycle.check(document(*rules))
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert part in caught.value.message


def test_the_date_that_is_not_at_midnight_is_named() -> None:
    with pytest.raises(S3Error) as caught:
        lifecycle.check(document(rule(Expiration={"Date": ODD_TIME})))
    assert caught.value.elements == {"ArgumentName": "Date", "ArgumentValue": ODD_TIME}


ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
MARKER = {"Expiration": {"ExpiredObjectDeleteMarker": False}}
NEWER = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1}}


@pytest.mark.parametrize(
    ("rules", "part"),
    [
        ([without("Expiration")], "At least one action"),
        ([rule(Filter={"And": {"Tags": [TAG, TAG]}})], "Duplicate Tag Keys"),
        ([rule(Filter={"ObjectSizeLessThan": 0})], "'ObjectSizeLessThan' should be between 1 and"),
        ([rule(Filter={"ObjectSizeGreaterThan": -1})], "'ObjectSizeGreaterThan' should be between 0 and"),
        ([rule(Filter={"ObjectSizeGreaterThan": 1099511627776001})], "should be between"),
        ([rule(Filter={"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}})], "has to be a value greater"),
        ([rule(Filter={"Tag": TAG}, **ABORT)], "AbortIncompleteMultipartUpload cannot be specified with Tags."),
        ([rule(Filter={"ObjectSizeLessThan": 9}, **ABORT)], "cannot be specified with Object Size."),
        ([rule(Filter={"ObjectSizeLessThan": 9}, **MARKER)], "ExpiredObjectDeleteMarker cannot be specified"),
        ([rule(Filter={"Tag": TAG}, **MARKER)], "ExpiredObjectDeleteMarker cannot be specified with Tags."),
        ([without("Filter", Prefix="a"), rule(ID="two")], "Filter element can only be used in Lifecycle V2."),
        ([rule(ID="two"), without("Filter", Prefix="a")], "Base level prefix cannot be used"),
        ([without("Filter", Prefix="a", **NEWER)], "NewerNoncurrentVersions element"),
        ([rule(Transitions=[move("GLACIER", Days=1), move("GLACIER", Days=2)])], "'StorageClass' must be different"),
        ([rule(Transitions=[move("GLACIER", Date=MIDNIGHT)])], "Found mixed 'Date' and 'Days'"),
    ],
)
def test_values_that_exclude_each_other_are_an_invalid_request(rules: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(S3Error) as caught:
        lifecycle.check(document(*rules))
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequest")
    assert part in caught.value.message


def test_a_document_is_checked_as_the_codec_reads_it() -> None:
    body = (
        b"<LifecycleConfiguration><Rule><ID>x</ID><Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value>"
        b"</Tag></And></Filter><Status>Enabled</Status><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"
        b"<Transition><Date>2029-01-01T00:00:00Z</Date><StorageClass>GLACIER</StorageClass></Transition>"
        b"</Rule></LifecycleConfiguration>"
    )
    parsed = Codec(service_model().service).parse_document("PutBucketLifecycleConfiguration", body)
    lifecycle.check(parsed)
    assert lifecycle.expiration_header(parsed, "a/b", 0, [TAG], 0) == (
        'expiry-date="Tue, 01 Jan 2030 00:00:00 GMT", rule-id="x"'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "all_storage_classes_128K"),
        ("all_storage_classes_128K", "all_storage_classes_128K"),
        ("varies_by_storage_class", "varies_by_storage_class"),
    ],
)
def test_the_minimum_size_of_transitions_has_a_default(text: str | None, expected: str) -> None:
    assert lifecycle.default_minimum_size(text) == expected


def test_an_unknown_minimum_size_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        lifecycle.default_minimum_size("value")
    assert caught.value.code == "InvalidRequest"
    assert caught.value.message.endswith("found: value")


def test_a_rule_without_id_gets_one() -> None:
    sent = document(without("ID"), rule(), without("ID"))
    numbers = iter("ab")
    stored = lifecycle.with_ids(sent, lambda: next(numbers))
    assert [entry["ID"] for entry in stored["Rules"]] == ["a", "one", "b"]
    assert sent == document(without("ID"), rule(), without("ID"))


# x-amz-expiration


def seconds(*moment: int) -> int:
    return calendar.timegm((*moment, 0))


@pytest.mark.parametrize(
    ("modified", "days", "date"),
    [
        # The example of the user guide: three days after 10:30 on the 15th.
        (seconds(2014, 1, 15, 10, 30), 3, "Sun, 19 Jan 2014 00:00:00 GMT"),
        (seconds(2012, 12, 15, 23, 59), 7, "Sun, 23 Dec 2012 00:00:00 GMT"),
        (seconds(2024, 2, 28, 0, 1), 1, "Fri, 01 Mar 2024 00:00:00 GMT"),
    ],
)
def test_days_end_at_the_next_midnight(modified: int, days: int, date: str) -> None:
    found = lifecycle.expiration_header(document(rule(Expiration={"Days": days})), "k", 0, [], modified)
    assert found == f'expiry-date="{date}", rule-id="one"'


@given(modified=st.integers(0, 4_000_000_000), days=st.integers(1, 4000))
def test_an_object_lives_its_days_and_less_than_one_more(modified: int, days: int) -> None:
    found = lifecycle.expiration_header(document(rule(Expiration={"Days": days})), "k", 0, [], modified)
    assert found is not None
    names = found.split('"')[1].split()
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    date = seconds(int(names[3]), months.index(names[2]) + 1, int(names[1]), 0, 0)
    assert date % 86400 == 0
    assert 0 < date - (modified + days * 86400) <= 86400


@pytest.mark.parametrize(
    ("chosen", "key", "size", "tags", "applies"),
    [
        ({"Filter": {}}, "any", 0, [], True),
        ({"Filter": {"Prefix": ""}}, "any", 0, [], True),
        ({"Filter": {"Prefix": "logs/"}}, "logs/a", 0, [], True),
        ({"Filter": {"Prefix": "logs/"}}, "log", 0, [], False),
        ({"Prefix": "logs/"}, "logs/a", 0, [], True),
        ({"Prefix": "logs/"}, "other", 0, [], False),
        ({"Filter": {"Tag": TAG}}, "a", 0, [OTHER_TAG, TAG], True),
        ({"Filter": {"Tag": TAG}}, "a", 0, [{"Key": "k", "Value": "w"}], False),
        ({"Filter": {"Tag": TAG}}, "a", 0, [], False),
        ({"Filter": {"ObjectSizeGreaterThan": 20}}, "a", 21, [], True),
        ({"Filter": {"ObjectSizeGreaterThan": 20}}, "a", 20, [], False),
        ({"Filter": {"ObjectSizeLessThan": 10}}, "a", 9, [], True),
        ({"Filter": {"ObjectSizeLessThan": 10}}, "a", 10, [], False),
        ({"Filter": {"And": {"Tags": [TAG, OTHER_TAG]}}}, "a", 0, [TAG, OTHER_TAG], True),
        ({"Filter": {"And": {"Tags": [TAG, OTHER_TAG]}}}, "a", 0, [TAG], False),
        ({"Filter": {"And": {"Prefix": "a", "Tags": [TAG]}}}, "b", 0, [TAG], False),
        ({"Filter": {"And": {"Prefix": "a", "ObjectSizeLessThan": 10}}}, "ab", 9, [], True),
        ({"Filter": {"And": {"Prefix": "a", "ObjectSizeLessThan": 10}}}, "ab", 10, [], False),
        ({"Filter": {}, "Status": "Disabled"}, "a", 0, [], False),
        ({"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}, "a", 0, [], False),
        ({"Filter": {}, "Expiration": {}}, "a", 0, [], False),
    ],
)
def test_a_rule_applies_to_what_its_filter_selects(
    chosen: dict[str, Any], key: str, size: int, tags: list[dict[str, str]], applies: bool
) -> None:
    configuration = document({**without("Filter"), **chosen})
    assert (lifecycle.expiration_header(configuration, key, size, tags, 0) is not None) is applies


@pytest.mark.parametrize(
    ("text", "date"),
    [(MIDNIGHT, "Tue, 01 Jan 2030 00:00:00 GMT"), ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT")],
)
def test_a_date_expires_whatever_the_age(text: str, date: str) -> None:
    found = lifecycle.expiration_header(
        document(rule(Expiration={"Date": text})), "k", 0, [], seconds(2026, 1, 1, 0, 0)
    )
    assert found == f'expiry-date="{date}", rule-id="one"'


def test_the_earliest_rule_counts_then_the_first() -> None:
    later, first, second = rule(ID="a-later", Expiration={"Days": 9}), rule(ID="c-first"), rule(ID="b-second")
    found = lifecycle.expiration_header(document(later, first, second), "k", 0, [], 0)
    assert found == 'expiry-date="Fri, 09 Jan 1970 00:00:00 GMT", rule-id="c-first"'


def test_a_bucket_without_configuration_expires_nothing() -> None:
    assert lifecycle.expiration_header(None, "k", 0, [], 0) is None


@pytest.mark.parametrize(
    ("rule_id", "written"),
    [("Delete after 14 days", "Delete after 14 days"), ('a"\r\nb', "a%22%0D%0Ab"), ("é", "%C3%A9"), ("~\x7f", "~%7F")],
)
def test_an_id_cannot_break_the_header(rule_id: str, written: str) -> None:
    found = lifecycle.expiration_header(document(rule(ID=rule_id)), "k", 0, [], 0)
    assert found is not None
    assert found.endswith(f' rule-id="{written}"')
