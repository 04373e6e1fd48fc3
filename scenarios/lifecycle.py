"""LC: lifecycle rules, and what they tell of an object. That they are carried out takes days, and is not asked."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from typing import Any

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, header, no_header, ok, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._versioned import versioned_bucket

_DAYS = 7
_ID = "logs-for-a-week"
_MINIMUM = "x-amz-transition-default-minimum-object-size"
_EXPIRATION = re.compile(r'expiry-date="([^"]+)", rule-id="([^"]+)"')


def _rule(**changed: Any) -> dict[str, Any]:
    """A rule that expires what begins with logs/; a member that is changed to None is left out."""
    rule = {"ID": _ID, "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": _DAYS}} | changed
    return {name: value for name, value in rule.items() if value is not None}


def _put(s3: Scene, bucket: str, *rules: dict[str, Any], **others: Any) -> Observed:
    configuration = {"Rules": list(rules)}
    return s3.call("PutBucketLifecycleConfiguration", Bucket=bucket, LifecycleConfiguration=configuration, **others)


def _has_ids(*expected: str) -> Matcher:
    """The configuration has rules with these ids, in this order."""
    wanted = list(expected)
    return output_where("Rules", f"with the ids {wanted}", lambda rules: [one.get("ID") for one in rules] == wanted)


def _refuses(s3: Scene, code: str, *rules: dict[str, Any]) -> None:
    """A bucket takes a good rule, refuses each of these, and keeps the good one."""
    bucket = s3.new_bucket()
    s3.expect(_put(s3, bucket, _rule()), ok())
    for rule in rules:
        s3.expect(_put(s3, bucket, rule), refused(400, code))
    s3.expect(s3.look("GetBucketLifecycleConfiguration", Bucket=bucket), ok(), _has_ids(_ID))


@scenario(
    "LC-001",
    EXTENDED,
    "GetBucketLifecycleConfiguration",
    "PutBucketLifecycleConfiguration",
    "DeleteBucketLifecycle",
    source="LocalStack test_delete_bucket_lifecycle_configuration (recorded on AWS)",
    clients=LIBRARIES,
)
def lifecycle_round_trip(s3: Scene) -> None:
    """Without lifecycle rules the answer is 404 NoSuchLifecycleConfiguration; rules are put, read and deleted with 204.

    S3 promises: the error has a code of its own. What was put is given back until DeleteBucketLifecycle, 204, removes
    it; the bucket stays.

    Breaks: Terraform and clean-up tools take this code alone for "no rules". Where ?lifecycle is not read, the
    delete takes the bucket, and the GET is a listing that parses as an empty configuration.

    Fix: store the document by bucket, and route on the parameter before the method.
    """
    bucket = s3.new_bucket()
    none = refused(404, "NoSuchLifecycleConfiguration")
    s3.expect(s3.call("GetBucketLifecycleConfiguration", Bucket=bucket), none)
    s3.expect(_put(s3, bucket, _rule()), ok())
    s3.expect(s3.call("GetBucketLifecycleConfiguration", Bucket=bucket), ok(), _has_ids(_ID))
    s3.expect(s3.look("GetBucketLifecycleConfiguration", Bucket=bucket), ok(), _has_ids(_ID))
    s3.expect(s3.call("DeleteBucketLifecycle", Bucket=bucket), ok(204))
    s3.expect(s3.look("GetBucketLifecycleConfiguration", Bucket=bucket), none)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "LC-002",
    EXTENDED,
    "PutBucketLifecycleConfiguration",
    source="LocalStack test_put_bucket_lifecycle_conf_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def lifecycle_filter(s3: Scene) -> None:
    """A lifecycle rule without filter or prefix, or with two that clash, is refused with 400 MalformedXML.

    S3 promises: each rule says what it is for, once: by a Filter, which has one condition or an And of several, or by
    the older Prefix. The rules that were in force stay.

    Breaks: a rule whose filter is lost applies to the whole bucket, and expires all of it.

    Fix: refuse a rule without Filter and Prefix, one with both, and a Filter with several conditions beside each
    other, before storing anything.
    """
    _refuses(
        s3,
        "MalformedXML",
        _rule(Filter=None),
        _rule(Filter={"Prefix": "logs/", "Tag": {"Key": "kind", "Value": "log"}}),
        _rule(Prefix="logs/"),
    )


@scenario(
    "LC-003",
    EXTENDED,
    "PutBucketLifecycleConfiguration",
    source="LocalStack test_put_bucket_lifecycle_conf_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def expiration_at_midnight(s3: Scene) -> None:
    """An expiration Date that is not at midnight GMT is refused with 400 InvalidArgument.

    S3 promises: rules work by days. A Date has to be at 00:00:00 GMT; any other time is InvalidArgument.

    Breaks: only strict validation; a date at midnight of another time zone would expire objects half a day early.

    Fix: convert the date to GMT, and check that nothing remains of hours, minutes and seconds.
    """
    year = dt.datetime.now(dt.UTC).year + 1
    dated = {"Expiration": {"Date": f"{year}-06-01T00:00:00Z"}}
    s3.expect(_put(s3, s3.new_bucket(), _rule(**dated)), ok())
    _refuses(s3, "InvalidArgument", _rule(Expiration={"Date": f"{year}-06-01T10:30:00Z"}))


@scenario(
    "LC-004",
    EXTENDED,
    "PutObject",
    "GetObject",
    "HeadObject",
    source="LocalStack test_bucket_lifecycle_configuration_object_expiry and "
    "test_bucket_lifecycle_configuration_object_expiry_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def expiration_is_told(s3: Scene) -> None:
    """An object that a rule will expire has x-amz-expiration on PUT, GET and HEAD, but not when a versionId is given.

    S3 promises: the header has expiry-date, the first midnight GMT after the days of the rule, and rule-id. Objects
    that no rule meets do not have it, nor does an answer for a version asked for by its id.

    Breaks: programs that warn users before their data expires, or decide to keep it; most clients never look.

    Fix: evaluate the rules against key, size and tags when answering, and round up to the next midnight.
    """
    with versioned_bucket(s3) as bucket:
        s3.expect(_put(s3, bucket, _rule()), ok())
        target = {"Bucket": bucket, "Key": "logs/today"}
        stored = s3.expect(s3.call("PutObject", **target, Body=b"a line"), ok())
        version = s3.look("HeadObject", **target)
        expires = _expires_after(version)
        for answer in (stored, s3.call("HeadObject", **target), s3.call("GetObject", **target)):
            s3.expect(answer, ok(), expires)
        named = str(version.output.get("VersionId", ""))
        s3.expect(s3.call("HeadObject", **target, VersionId=named), ok(), no_header("x-amz-expiration"))
        other = {"Bucket": bucket, "Key": "data/today"}
        s3.expect(s3.call("PutObject", **other, Body=b"kept"), ok(), no_header("x-amz-expiration"))
        s3.expect(s3.call("HeadObject", **other), ok(), no_header("x-amz-expiration"))


def _expires_after(stored: Observed) -> Matcher:
    """x-amz-expiration names the rule, and the first midnight that is at least its days behind Last-Modified."""
    written = (stored.headers or {}).get("last-modified", "")

    def test(seen: Observed) -> str:
        found = _EXPIRATION.fullmatch((seen.headers or {}).get("x-amz-expiration", ""))
        if found is None or found[2] != _ID:
            return f"x-amz-expiration was {(seen.headers or {}).get('x-amz-expiration')!r}"
        try:
            due = email.utils.parsedate_to_datetime(found[1])
            rest = due - email.utils.parsedate_to_datetime(written) - dt.timedelta(days=_DAYS)
        except (TypeError, ValueError):
            return f"expiry-date was {found[1]!r} for Last-Modified {written!r}"
        midnight = due.strftime("%H:%M:%S") == "00:00:00"
        return "" if midnight and dt.timedelta() <= rest <= dt.timedelta(days=1) else f"expiry-date was {found[1]!r}"

    return Matcher(f'x-amz-expiration: rule-id "{_ID}", midnight {_DAYS} days after Last-Modified', test)


@scenario(
    "LC-005",
    EXTENDED,
    "GetBucketLifecycleConfiguration",
    "PutBucketLifecycleConfiguration",
    source="LocalStack test_s3_transition_default_minimum_object_size (recorded on AWS)",
    clients=LIBRARIES,
)
def minimum_size(s3: Scene) -> None:
    """Lifecycle answers tell x-amz-transition-default-minimum-object-size, by default all_storage_classes_128K.

    S3 promises: PutBucketLifecycleConfiguration and GetBucketLifecycleConfiguration tell from which size on objects
    are moved; varies_by_storage_class is given back where it was asked for.

    Breaks: Terraform's provider compares the value with its own default on every plan and waits for it after each
    change; without the header it times out.

    Fix: keep the value of the header with the rules, fill in the default, and print it on both answers.
    """
    bucket = s3.new_bucket()
    default, varying = header(_MINIMUM, "all_storage_classes_128K"), "varies_by_storage_class"
    s3.expect(_put(s3, bucket, _rule()), ok(), default)
    s3.expect(s3.call("GetBucketLifecycleConfiguration", Bucket=bucket), ok(), _has_ids(_ID), default)
    s3.expect(_put(s3, bucket, _rule(), TransitionDefaultMinimumObjectSize=varying), ok(), header(_MINIMUM, varying))
    s3.expect(s3.call("GetBucketLifecycleConfiguration", Bucket=bucket), ok(), header(_MINIMUM, varying))
