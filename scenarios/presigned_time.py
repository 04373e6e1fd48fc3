"""PRE: until when a presigned URL holds, and with whose credentials it was made."""

from __future__ import annotations

import datetime as dt

from harness.clients.raw import Signing
from harness.expect import Matcher, body, ok, one_of, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import Credentials
from scenarios._signing import CONTENT, MISMATCH, altered, follow, is_stored, link, path, without

_DENIED = refused(403, "AccessDenied")
_HOUR = 3600
_LONG_AGO = Signing(skew=-_HOUR)


@scenario(
    "PRE-002",
    MUST,
    "GetObject",
    "PutObject",
    source="LocalStack test_presigned_url_signature_authentication_expired, test_s3_presigned_url_expired "
    "(recorded on AWS)",
    clients=("raw",),
)
def expired_url(s3: Scene) -> None:
    """A presigned URL is refused with 403 AccessDenied once its time is over, and works until then.

    S3 promises: it holds for X-Amz-Expires seconds from X-Amz-Date on. The 15 minutes that headers have do not count
    here: a URL of an hour ago that was made for two is good.

    Breaks: links that were meant for a minute and last for ever, in chats and logs; or links for a day that fail after
    a quarter of an hour, where the rule for headers is applied to them.

    Fix: compare the clock with X-Amz-Date plus X-Amz-Expires, and with nothing else.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), signing=_LONG_AGO, expires=2 * _HOUR)), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), signing=_LONG_AGO)), _DENIED)
    s3.expect(follow(s3, "PUT", link(s3, "PUT", path(s3), signing=_LONG_AGO), content=b"too late"), _DENIED)
    is_stored(s3, path(s3))


@scenario(
    "PRE-003",
    SHOULD,
    "GetObject",
    source="LocalStack test_s3_presigned_url_expired (recorded on AWS)",
    clients=("raw",),
)
def told_when_it_expired(s3: Scene) -> None:
    """The error of an expired URL has Expires and ServerTime, and X-Amz-Expires for Signature Version 4.

    S3 promises: the moment when it ended, the server's clock, and the seconds it was made for, so that a reader sees
    whether the link was old or a clock is wrong.

    Breaks: no program; but "AccessDenied" alone sends people looking for missing rights.

    Fix: add the three elements to the error, both times in UTC.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3))), ok(), body(CONTENT))
    expired = follow(s3, "GET", link(s3, "GET", path(s3), signing=_LONG_AGO, expires=90))
    fields = refused(403, "AccessDenied", fields={"X-Amz-Expires": "90"})
    s3.expect(expired, fields, _near("Expires", 90 - _HOUR), _near("ServerTime", 0))


def _near(field: str, offset: float) -> Matcher:
    """A time in an error that is `offset` seconds from now, give or take the 15 minutes that clocks may differ."""
    wanted = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=offset)

    def test(text: str) -> bool:
        try:
            found = dt.datetime.fromisoformat(text)
        except ValueError:
            return False
        return found.tzinfo is not None and abs((found - wanted).total_seconds()) < 900

    return Matcher(
        f"{field}: about {wanted:%Y-%m-%dT%H:%M:%SZ}",
        lambda seen: "" if test(seen.error_fields.get(field, "")) else f"{field} was {seen.error_fields.get(field)!r}",
    )


@scenario(
    "PRE-019",
    MUST,
    "GetObject",
    source="ceph/s3-tests test_object_raw_get_x_amz_expires_out_max_range",
    clients=("raw",),
    confidence="partly unverified",
)
def senseless_expiry(s3: Scene) -> None:
    """X-Amz-Expires over 604800, zero, negative or no number is refused: 400 AuthorizationQueryParametersError.

    S3 promises: a presigned URL holds for a week at most. Whoever signs for longer gets no URL that works at all, and
    not one that is cut to a week. (One suite saw 403 for it, which is accepted and noted.)

    Breaks: links for a month fail on S3 at once; where they work, they are made, and leak access for a month.

    Fix: demand 1 to 604800 before the signature is looked at.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), expires="604800")), ok(), body(CONTENT))
    accepted = one_of(refused(400, "AuthorizationQueryParametersError"), refused(403))
    for expires in ("604801", "0", "-7", "soon", "9999999999999999999999"):
        found = s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), expires=expires)), accepted)
        s3.note(f"X-Amz-Expires={expires} was answered {found.status} {found.code}")


@scenario(
    "PRE-020",
    EXTENDED,
    "GetObject",
    source="LocalStack test_presigned_url_signature_authentication (recorded on AWS)",
    clients=("raw",),
)
def version_2(s3: Scene) -> None:
    """Presigned URLs of Signature Version 2 work; an expired one is AccessDenied, a tampered one a mismatch: 403.

    S3 promises: AWSAccessKeyId, Signature and Expires in the query, in regions that opened before 2014. Expires is the
    moment of the end, in seconds since 1970.

    Breaks: boto3 and version 1 of the AWS CLI still make such URLs by default, in many places without their users
    knowing.

    Fix: verify HMAC-SHA1 over method, digest, type, Expires and path, or tell users to set signature_version = s3v4.
    """
    s3.put(s3.key(), CONTENT)
    s3.put(s3.key("other"), b"not given away")
    url = link(s3, "GET", path(s3, query="response-content-type=text%2Fx"), version=2)
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), version=2, expires=-_HOUR)), _DENIED)
    end = without(url, "Signature").rpartition("Expires=")[2]
    for wrong in (
        url.replace(path(s3), path(s3, "other")),
        altered(url, "Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"),
        altered(url, "Expires", str(int(end) + 60)),
        altered(url, "response-content-type", "text%2Fhtml"),
    ):
        s3.expect(follow(s3, "GET", wrong), MISMATCH)


@scenario(
    "PRE-014",
    SHOULD,
    "GetObject",
    "PutObject",
    source="LocalStack test_presigned_url_with_session_token (recorded on AWS)",
    clients=("raw",),
)
def session_token(s3: Scene) -> None:
    """URLs made with temporary credentials work with X-Amz-Security-Token in the query, and only with the right one.

    S3 promises: the session token stands in the query and is signed. Taken out or replaced, the URL opens nothing.

    Breaks: all that runs in the cloud: Lambda functions, containers and CI jobs have temporary credentials only, so
    every URL they hand out has a token.

    Fix: read the token from the query as from the header, and hold it to its access key before the signature.
    """
    signing = Signing(credentials=s3.temporary)
    s3.put(s3.key(), CONTENT)
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3))), ok(), body(CONTENT))
    url = link(s3, "GET", path(s3), signing=signing)
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    s3.expect(follow(s3, "PUT", link(s3, "PUT", path(s3, "new"), signing=signing), content=CONTENT), ok())
    is_stored(s3, path(s3, "new"))
    s3.expect(follow(s3, "GET", without(url, "X-Amz-Security-Token")), _refusal())
    s3.expect(follow(s3, "GET", altered(url, "X-Amz-Security-Token", "none")), _refusal())


def _refusal() -> Matcher:
    """Nobody is let in; which of several things is wrong first is not said."""
    return one_of(refused(403), refused(400, "InvalidToken", "AuthorizationQueryParametersError"))


@scenario(
    "PRE-018",
    SHOULD,
    "GetObject",
    source="LocalStack test_presigned_url_with_different_user_credentials (recorded on AWS)",
    clients=("raw",),
)
def made_by_a_role(s3: Scene) -> None:
    """A URL presigned by a role that may read the object opens it, as one by the user who owns it does.

    S3 promises: a URL has the rights of whoever signed it: for a role, its temporary key, its secret and its token
    together. The key with another secret does not match.

    Breaks: services that assume a role to hand out URLs to objects which another identity stored.

    Fix: resolve the temporary key to its role and judge the request as that role's own.
    """
    own, role = s3.witness.endpoint.credentials, s3.temporary
    s3.put(s3.key(), CONTENT)
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3))), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), signing=Signing(credentials=role))), ok(), body(CONTENT))
    stolen = Signing(credentials=Credentials(role.access_key, own.secret_key, role.session_token))
    s3.expect(follow(s3, "GET", link(s3, "GET", path(s3), signing=stolen)), MISMATCH)
