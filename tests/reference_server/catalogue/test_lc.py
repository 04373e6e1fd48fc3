"""Lifecycle configurations: catalogue family LC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.histories import mark, put
from tests.reference_server.catalogue.steps import Upload, md5_header, put_document, refusal, texts, tree, version

if TYPE_CHECKING:
    from conftest import Raw, Reply

EXPIRATION = "x-amz-expiration"
MINIMUM = "x-amz-transition-default-minimum-object-size"
WEEK = "<Expiration><Days>7</Days></Expiration>"
PREFIX = "<Filter><Prefix>p</Prefix></Filter>"
SIZE = "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>"


def rule(inside: str, name: str = "one", status: str = "Enabled") -> str:
    """A rule of a lifecycle document."""
    return f"<Rule><ID>{name}</ID><Status>{status}</Status>{inside}</Rule>"


def configure(raw: Raw, bucket: str, *rules: str) -> Reply:
    """PutBucketLifecycleConfiguration."""
    document = f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>"
    return put_document(raw, f"/{bucket}?lifecycle", document)


def promised(reply: Reply) -> tuple[datetime, str]:
    """Date and rule in x-amz-expiration."""
    match = re.fullmatch(r'expiry-date="([^"]+ GMT)", rule-id="([^"]*)"', reply.headers[EXPIRATION])
    assert match is not None, reply.headers[EXPIRATION]
    return parsedate_to_datetime(match[1]), match[2]


def due(raw: Raw, path: str, days: int) -> datetime:
    """When an object expires after so many days: at the midnight that follows."""
    modified = parsedate_to_datetime(raw("HEAD", path).headers["last-modified"])
    return datetime.combine((modified + timedelta(days=days + 1)).date(), datetime.min.time(), UTC)


@pytest.mark.catalogue("LC-001")
def test_a_bucket_has_no_lifecycle_until_it_is_given_one(raw: Raw, bucket: str) -> None:
    """And none after it is deleted, which works at any time."""
    target, none = f"/{bucket}?lifecycle", (404, "NoSuchLifecycleConfiguration", bucket)
    assert refusal(raw("GET", target), "BucketName") == none
    assert raw("DELETE", target).status == 204
    assert configure(raw, bucket, rule(PREFIX + WEEK)).status == 200
    reply = raw("GET", target)
    assert (reply.status, tree(reply).tag, texts(tree(reply), "Rule/ID")) == (200, "LifecycleConfiguration", ["one"])
    for _ in range(2):
        assert raw("DELETE", target).status == 204
        assert refusal(raw("GET", target), "BucketName") == none


@pytest.mark.catalogue("LC-002")
@pytest.mark.parametrize(
    "inside",
    [
        WEEK,
        f"<Prefix>p</Prefix>{PREFIX}{WEEK}",
        f"<Filter><Prefix>p</Prefix>{SIZE}</Filter>{WEEK}",
        f"<Filter><And><Prefix>p</Prefix>{SIZE}</And>{SIZE}</Filter>{WEEK}",
        f"<Filter><And><Prefix>p</Prefix></And></Filter>{WEEK}",
        f"{PREFIX}<Expiration><Days>7</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
        f"{PREFIX}<NoncurrentVersionExpiration></NoncurrentVersionExpiration>",
    ],
)
def test_a_rule_says_once_what_it_is_for(raw: Raw, bucket: str, inside: str) -> None:
    """No filter, two of them, or actions that say nothing: the rules from before stay."""
    configure(raw, bucket, rule(PREFIX + WEEK, "kept"))
    assert refusal(configure(raw, bucket, rule(inside))) == (400, "MalformedXML")
    assert texts(tree(raw("GET", f"/{bucket}?lifecycle")), "Rule/ID") == ["kept"]


@pytest.mark.catalogue("LC-003")
@pytest.mark.parametrize("date", ["2030-01-01T02:02:00Z", "2030-01-01T00:00:01Z", "2030-01-01T00:00:00+01:00"])
def test_objects_expire_at_midnight(raw: Raw, bucket: str, date: str) -> None:
    """Midnight in Greenwich; any other time is an argument that cannot be."""
    inside = PREFIX + "<Expiration><Date>{}</Date></Expiration>"
    found = refusal(configure(raw, bucket, rule(inside.format(date))), "ArgumentName")
    assert found == (400, "InvalidArgument", "Date")
    assert raw("GET", f"/{bucket}?lifecycle").code == "NoSuchLifecycleConfiguration"
    assert configure(raw, bucket, rule(inside.format("2030-01-01T00:00:00Z"))).status == 200
    assert texts(tree(raw("GET", f"/{bucket}?lifecycle")), "Rule/Expiration/Date")[0].startswith("2030-01-01T00:00:00")


@pytest.mark.catalogue("LC-004")
def test_an_object_says_when_it_will_expire(raw: Raw, bucket: str) -> None:
    """Every way to write it and to read it; an object that no rule is for says nothing."""
    configure(raw, bucket, rule(PREFIX + WEEK, "the rule"))
    path = f"/{bucket}/pk"
    written = [raw("PUT", path, b"x")]
    written.append(raw("PUT", path, headers={"x-amz-copy-source": path, "x-amz-metadata-directive": "REPLACE"}))
    written.append(Upload(raw, path).finish(b"x"))
    expected = (due(raw, path, 7), "the rule")
    for reply in (*written, raw("GET", path), raw("HEAD", path), raw("GET", path, headers={"Range": "bytes=0-0"})):
        assert promised(reply) == expected
    other = f"/{bucket}/other"
    for reply in (raw("PUT", other, b"x"), raw("GET", other), raw("HEAD", other)):
        assert EXPIRATION not in reply.headers
    raw("DELETE", f"/{bucket}?lifecycle")
    assert EXPIRATION not in raw("HEAD", path).headers


@pytest.mark.catalogue("LC-004")
def test_a_rule_is_also_for_what_was_there_before(raw: Raw, bucket: str) -> None:
    """A disabled rule, or one that only ends delete markers, is for nothing."""
    path = f"/{bucket}/pk"
    assert EXPIRATION not in raw("PUT", path, b"x").headers
    configure(raw, bucket, rule("<Filter></Filter>" + WEEK))
    assert promised(raw("HEAD", path))[1] == "one"
    configure(raw, bucket, rule("<Filter></Filter>" + WEEK, status="Disabled"))
    assert EXPIRATION not in raw("HEAD", path).headers
    markers = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
    configure(raw, bucket, rule(f"<Filter></Filter>{markers}"))
    assert EXPIRATION not in raw("HEAD", path).headers


@pytest.mark.catalogue("LC-004")
def test_the_rule_that_ends_an_object_first_is_named(raw: Raw, bucket: str) -> None:
    """Filters by prefix, size and tags decide which rules are for an object; a date may come before any days."""
    past, tag = "2020-01-01T00:00:00Z", "<Tag><Key>t</Key><Value>{}</Value></Tag>"
    days = "<Expiration><Days>{}</Days></Expiration>"
    rules = [
        rule(f"<Filter><Prefix>p</Prefix></Filter>{days.format(30)}", "prefix"),
        rule(f"<Filter>{SIZE}</Filter>{days.format(20)}", "size"),
        rule(f"<Filter><And><Prefix>p</Prefix>{tag.format('x')}</And></Filter>{days.format(10)}", "tag"),
        rule(f"<Filter>{tag.format('y')}</Filter><Expiration><Date>{past}</Date></Expiration>", "date"),
    ]
    assert configure(raw, bucket, *rules).status == 200
    for key, body, tags, name in (
        ("p", b"x", "", "prefix"),
        ("p", b"xx", "", "size"),
        ("p", b"xx", "t=x", "tag"),
        ("q", b"xx", "t=x", "size"),
        ("q", b"x", "t=y", "date"),
    ):
        found = raw("PUT", f"/{bucket}/{key}", body, {"x-amz-tagging": tags} if tags else {})
        assert promised(found)[1] == name, (key, tags)
    assert promised(raw("HEAD", f"/{bucket}/q"))[0] == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.catalogue("LC-004")
def test_versions_by_id_say_nothing_of_expiry(raw: Raw, bucket: str) -> None:
    """Neither an old one nor the newest, which does say so when it is read without its id."""
    version(raw, bucket)
    configure(raw, bucket, rule("<Filter></Filter>" + WEEK))
    path = f"/{bucket}/k"
    ids = [put(raw, path), put(raw, path)]
    for method in ("GET", "HEAD"):
        assert promised(raw(method, path)) == (due(raw, path, 7), "one")
        for each in ids:
            assert EXPIRATION not in raw(method, f"{path}?versionId={each}").headers
    mark(raw, path)
    assert EXPIRATION not in raw("GET", path).headers


@pytest.mark.catalogue("LC-005")
def test_the_least_size_of_transitions_has_a_default(raw: Raw, bucket: str) -> None:
    """It comes back in a header, is set by one, and goes back to the default with the next document."""
    target, document = f"/{bucket}?lifecycle", f"<LifecycleConfiguration>{rule(PREFIX + WEEK)}</LifecycleConfiguration>"
    configure(raw, bucket, rule(PREFIX + WEEK))
    assert raw("GET", target).headers[MINIMUM] == "all_storage_classes_128K"
    body = document.encode()
    found = raw("PUT", target, body, {**md5_header(body), MINIMUM: "varies_by_storage_class"})
    assert (found.status, found.headers[MINIMUM], found.body) == (200, "varies_by_storage_class", b"")
    assert raw("GET", target).headers[MINIMUM] == "varies_by_storage_class"
    assert raw("PUT", target, body, {**md5_header(body), MINIMUM: "value"}).status == 400
    assert raw("GET", target).headers[MINIMUM] == "varies_by_storage_class"
    configure(raw, bucket, rule(PREFIX + WEEK))
    assert raw("GET", target).headers[MINIMUM] == "all_storage_classes_128K"
    assert [child.tag for child in tree(raw("GET", target))] == ["Rule"]


def test_a_rule_without_an_id_is_given_one(raw: Raw, s3: Any, bucket: str) -> None:
    """Another one for each rule; those that were sent stay. Source: API Reference, LifecycleRule."""
    rules = [{"Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 1}} for prefix in "ab"]
    rules.append({"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": "c"}, "Expiration": {"Days": 1}})
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    ids = [each["ID"] for each in found]
    assert len({*ids, ""}) == 4
    assert ids[-1] == "mine"
    assert found == [{**sent, "ID": given} for sent, given in zip(rules, ids, strict=True)]
    assert promised(raw("PUT", f"/{bucket}/a", b"x"))[1] == ids[0]
