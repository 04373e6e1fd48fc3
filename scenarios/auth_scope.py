"""AUTH: for which day, region and service a signature is good, and at what time."""

from __future__ import annotations

import re

from harness.clients.raw import Signing
from harness.expect import Matcher, body, ok, one_of, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._signing import CONTENT, ask, path

_MALFORMED = refused(400, "AuthorizationHeaderMalformed")
_DAYS = ("2026", "2026-01-01", "20260x01", "today")
_NEAR, _FAR = 10 * 60, 20 * 60
"""Seconds that clocks may differ, and that they may not; S3 draws the line at 15 minutes."""
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?Z")


@scenario(
    "AUTH-008",
    SHOULD,
    "GetObject",
    source="versitygw REST tests invalid year, invalid month, invalid day (run against AWS)",
    clients=("raw",),
)
def malformed_day(s3: Scene) -> None:
    """A credential scope whose date is not eight digits is refused with 400 AuthorizationHeaderMalformed.

    S3 promises: the second part of the credential is the day of the signature, yyyymmdd, and that of the request's own
    date. Anything else is a malformed header, even if the signature was made with it.

    Breaks: strict validation for most. But a gateway that signs with whatever text stands there, and does not hold it
    against the date of the request, lets a signing key of one day be used for ever.

    Fix: demand eight digits, and that x-amz-date begins with them.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    for day in _DAYS:
        s3.expect(ask(s3, "GET", path(s3), signing=Signing(day=day)), _MALFORMED)
    # A day that could be, and is not that of the request: refused, in whichever words.
    other = ask(s3, "GET", path(s3), signing=Signing(day="20200229"))
    s3.expect(other, one_of(_MALFORMED, refused(403, "SignatureDoesNotMatch", "RequestTimeTooSkewed")))


@scenario(
    "AUTH-009",
    MUST,
    "GetObject",
    "PutObject",
    source="versitygw REST test invalid region (run against AWS); LocalStack test_create_bucket_aws_global "
    "(recorded on AWS)",
    clients=("raw",),
)
def wrong_region(s3: Scene) -> None:
    """A signature for another region is refused with 400 AuthorizationHeaderMalformed, naming the Region to use.

    S3 promises: the region is part of what is signed. A request that was signed for another one is told in the element
    Region which one is right.

    Breaks: SDKs and rclone repeat a request with the region they were told; without it, users must guess. A gateway
    that takes every region accepts requests that were signed for another endpoint with the same keys.

    Fix: compare the third part of the credential with the region of the endpoint, and name that in the answer.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    elsewhere = Signing(region="nowhere-south-9")
    refusal = refused(400, "AuthorizationHeaderMalformed", fields={"Region": s3.witness.region})
    s3.expect(ask(s3, "GET", path(s3), signing=elsewhere), refusal)
    s3.expect(ask(s3, "PUT", path(s3), body=b"from elsewhere", signing=elsewhere), refusal)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))


@scenario(
    "AUTH-010",
    SHOULD,
    "GetObject",
    source="versitygw REST test invalid service name (run against AWS)",
    clients=("raw",),
)
def wrong_service(s3: Scene) -> None:
    """A signature for another service than s3 is refused with 400 AuthorizationHeaderMalformed.

    S3 promises: the fourth part of the credential is s3. A signature that is right for ec2, or for S3 in capital
    letters, is not good here.

    Breaks: nobody's daily work. It keeps a request that was made for another service, and leaked there, from being of
    use against the data.

    Fix: compare the service of the credential with s3, letter by letter.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    for service in ("ec2", "S3", "sts"):
        s3.expect(ask(s3, "GET", path(s3), signing=Signing(service=service)), _MALFORMED)


@scenario(
    "AUTH-011",
    MUST,
    "GetObject",
    "PutObject",
    source="versitygw REST tests incorrect year, month and day (run against AWS); AWS, Error responses",
    clients=("raw",),
)
def skewed_clock(s3: Scene) -> None:
    """A request dated more than 15 minutes before or after the server's time is 403 RequestTimeTooSkewed.

    S3 promises: a signed request is good for a quarter of an hour around its date. The error has both times and what
    is allowed: RequestTime, ServerTime and MaxAllowedSkewMilliseconds, 900000.

    Breaks: who records a request could send it again at any time. SDKs correct their clock by this error and try once
    more; given another code, machines with a wrong clock, such as suspended laptops, only fail.

    Fix: compare x-amz-date with the clock, and put both times into the error.
    """
    s3.put(s3.key(), CONTENT)
    for near in (-_NEAR, _NEAR):
        s3.expect(ask(s3, "GET", path(s3), signing=Signing(skew=near)), ok(), body(CONTENT))
    fields = {"MaxAllowedSkewMilliseconds": "900000"}
    for far in (-_FAR, _FAR, -366 * 86_400):
        found = ask(s3, "GET", path(s3), signing=Signing(skew=far))
        s3.expect(found, refused(403, "RequestTimeTooSkewed", fields=fields), _time("RequestTime"), _time("ServerTime"))
    s3.expect(
        ask(s3, "PUT", path(s3), body=b"too late", signing=Signing(skew=-_FAR)), refused(403, "RequestTimeTooSkewed")
    )
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))


def _time(field: str) -> Matcher:
    return Matcher(
        f"{field}: a time in UTC",
        lambda seen: (
            "" if _TIME.fullmatch(found := seen.error_fields.get(field, "")) else f"{field} was {found[:60]!r}"
        ),
    )


@scenario(
    "AUTH-012",
    SHOULD,
    "GetObject",
    source="versitygw REST tests ListBuckets - omit date; ListBuckets - invalid date (run against AWS)",
    clients=("raw",),
)
def no_readable_date(s3: Scene) -> None:
    """A signed request without a date, or with one that cannot be read, is refused with 403 AccessDenied.

    S3 promises: x-amz-date or Date says when a request was signed. Without that moment nothing can be checked, and
    nobody is let in.

    Breaks: strict validation in daily use; but what is let in without a date can be sent again at any time. Gateways
    that parse before they check answer 500.

    Fix: demand a date of the form yyyymmddThhmmssZ (or an HTTP date in Date), and refuse with AccessDenied otherwise.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    refusal = refused(403, "AccessDenied")
    s3.expect(ask(s3, "GET", path(s3), signing=Signing(date="")), refusal)
    s3.expect(ask(s3, "GET", path(s3), ("x-amz-date", "yesterday")), refusal)
