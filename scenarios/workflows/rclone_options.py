"""rclone's options for uploads and requests: conditions, files never changed, fewer requests, other headers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from harness.clients.base import Observed, joined
from harness.clients.program import ProgramClient
from harness.expect import body, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios.workflows._rclone import OWN_BUCKET, printed, refusal_told, remote
from scenarios.workflows._steps import files, holds, lines, sent, stored

KEPT = {"kept.txt": b"the stored one"}
REPLACEMENT = {"kept.txt": b"another, and longer, that would replace it", "new.txt": b"new"}

WRONG = "s3conform-made-this-up"
"""A secret key that nobody has."""
UPLOAD = "PutObject"
SDK_GAVE_UP = "exceeded maximum number of attempts"
"""What rclone's SDK says of an answer that it would have asked for again."""


def told_refusal(s3: Scene, run: Observed, operation: str, status: int, code: str) -> None:
    """A command ended with exit code 1 since an operation was refused with this status, and says so."""
    s3.check(run.exit_code == 1, "exit code 1", f"got {run.summary()}", run)
    if operation == "ListObjects" and not sent(s3, run, operation):
        operation = "ListObjectsV2"  # what the gateway tells its users to set
    if run.exchanges:
        refusal_told(s3, run, operation)
        statuses = [exchange.status for _, exchange in sent(s3, run, operation)]
        s3.check(status in statuses, f"{operation} answered {status}", f"status was {statuses}", run)
    named = f"S3: {operation}," in run.stderr and (code in run.stderr or f"StatusCode: {status}," in run.stderr)
    s3.check(named, f"standard error names {operation} and {code}", f"it said {run.stderr[-300:]!r}", run)


@scenario(
    "RCLONE-032",
    SHOULD,
    "PutObject",
    source="Amazon S3 conditional writes; rclone documentation, --header-upload; measured with rclone 1.75.2",
    clients=("rclone",),
)
def upload_only_if_absent(s3: Scene) -> None:
    """`rclone copyto --header-upload "If-None-Match: *"` stores a new object, and fails with 412 where one is.

    S3 promises: PutObject with If-None-Match: * never replaces an object; it is answered 412 PreconditionFailed.

    Breaks: locks, and journals that two writers share. A gateway that ignores the header loses what one of them wrote.

    Fix: look for the key and store under one lock; answer 412 PreconditionFailed.
    """
    stored(s3, KEPT)
    folder = files(s3, REPLACEMENT)
    flags = ("--header-upload", "If-None-Match: *", "--ignore-times", OWN_BUCKET)
    s3.expect(s3.program("copyto", str(folder / "new.txt"), remote(s3, "new.txt"), *flags), ok())
    run = s3.program("copyto", str(folder / "kept.txt"), remote(s3, "kept.txt"), *flags)
    told_refusal(s3, run, "PutObject", 412, "PreconditionFailed")
    holds(s3, KEPT | {"new.txt": REPLACEMENT["new.txt"]})


@scenario(
    "RCLONE-033",
    SHOULD,
    "ListObjects",
    "PutObject",
    source="rclone documentation, --immutable; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def immutable(s3: Scene) -> None:
    """`rclone copy --immutable` stores what is new, changes nothing that is there, and ends with exit code 6.

    S3 promises: a listing tells size and time of every object, so that nothing has to be overwritten to find out.

    Breaks: archives in which a file, once written, must not change.

    Fix: list what is stored, with its size.
    """
    stored(s3, KEPT)
    run = s3.program("copy", str(files(s3, REPLACEMENT)), remote(s3), "--immutable", OWN_BUCKET)
    told = run.exit_code == 6 and "immutable file modified" in run.stderr
    s3.check(told, "exit code 6 and 'immutable file modified'", f"got {run.summary()}: {run.stderr[-300:]!r}", run)
    if run.exchanges:
        puts = [what.key for what, _ in sent(s3, run, "PutObject")]
        s3.check(puts == [s3.key("new.txt")], "PutObject of new.txt alone", f"PutObject of {puts}", run)
    holds(s3, KEPT | {"new.txt": REPLACEMENT["new.txt"]})


@scenario(
    "RCLONE-034",
    SHOULD,
    "ListObjects",
    "PutObject",
    source="rclone documentation, --ignore-existing; measured with rclone 1.75.2",
    clients=("rclone",),
)
def ignore_existing(s3: Scene) -> None:
    """`rclone copy --ignore-existing` stores what is new and never sends a file whose name is there.

    S3 promises: a listing names every object below a prefix, right after it was stored.

    Breaks: uploads that are taken up again, and stores that refuse to overwrite.

    Fix: list every key, at once.
    """
    stored(s3, KEPT)
    run = s3.program("copy", str(files(s3, REPLACEMENT)), remote(s3), "--ignore-existing", OWN_BUCKET)
    s3.expect(run, ok())
    if run.exchanges:
        puts = [what.key for what, _ in sent(s3, run, "PutObject")]
        s3.check(puts == [s3.key("new.txt")], "PutObject of new.txt alone", f"PutObject of {puts}", run)
    holds(s3, KEPT | {"new.txt": REPLACEMENT["new.txt"]})


@scenario(
    "RCLONE-051",
    SHOULD,
    "PutObject",
    source="rclone documentation, --s3-no-check-bucket and --s3-no-head; measured with rclone 1.75.2",
    clients=("rclone",),
)
def upload_in_one_request(s3: Scene) -> None:
    """`rclone rcat --s3-no-check-bucket --s3-no-head` stores an object with one PutObject and no other request.

    S3 promises: an answer 200 to PutObject means that the object is stored whole, and its ETag is the MD5 of it.

    Breaks: users who may write and nothing else; each request beside the upload is one that they are refused.

    Fix: answer 200 only when the object is safe, with its ETag.
    """
    content = b"sent once"
    run = s3.program("rcat", remote(s3, "object"), OWN_BUCKET, "--s3-no-head", stdin=content)
    s3.expect(run, ok())
    if run.exchanges:
        told = [(what.operation, what.key) for what, _ in sent(s3, run, "PutObject")]
        text = f"{len(run.exchanges)} requests, PutObject {len(told)} times"
        s3.check(len(told) == len(run.exchanges) == 1, "one request, a PutObject", text, run)
    holds(s3, {"object": content})


@scenario(
    "RCLONE-052",
    EXTENDED,
    "PutObject",
    "GetObject",
    source="rclone documentation, --s3-use-x-id, --s3-sign-accept-encoding; measured with rclone 1.75.2",
    clients=("rclone",),
)
def without_quirks(s3: Scene) -> None:
    """`rclone rcat` and `rclone cat` work with `--s3-use-x-id=false --s3-sign-accept-encoding=false`.

    S3 promises: the query parameter x-id is optional, and so is signing Accept-Encoding.

    Breaks: users behind a proxy that rewrites Accept-Encoding or refuses x-id; these settings are their way out.

    Fix: take the operation from method, path and query as S3 does, and verify the headers that are signed, no others.
    """
    content = b"compressible " * 100
    flags = ("--s3-use-x-id=false", "--s3-sign-accept-encoding=false", "--s3-use-accept-encoding-gzip=false")
    stores = s3.program("rcat", remote(s3, "object"), OWN_BUCKET, *flags, stdin=content)
    s3.expect(stores, ok())
    reads = s3.program("cat", remote(s3, "object"), *flags)
    s3.expect(reads, ok(), body(content))
    for exchange in [*stores.exchanges, *reads.exchanges]:
        signed = (
            joined(exchange.request_headers).get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0]
        )
        s3.check("x-id=" not in urlsplit(exchange.url).query, "no x-id in the query", f"URL was {exchange.url}", stores)
        unsigned = signed != "" and "accept-encoding" not in signed.split(";")
        s3.check(unsigned, "a signature without accept-encoding", f"SignedHeaders were {signed!r}", stores)
    holds(s3, {"object": content})


@scenario(
    "RCLONE-053",
    EXTENDED,
    "ListObjectsV2",
    "PutObject",
    "GetObject",
    source="rclone documentation, S3 provider AWS; rclone's provider/AWS.yaml; measured with rclone 1.75.2",
    clients=("rclone",),
)
def as_amazon(s3: Scene) -> None:
    """`rclone lsf`, `cat` and `copyto` work with `--s3-provider AWS`, as if the endpoint were Amazon's.

    S3 promises: all that rclone assumes of Amazon: ListObjectsV2 with encoding-type=url, checksums, signed payloads.

    Breaks: users who take the provider that stands first in rclone's list. Over plain http rclone cannot upload with
    it, whatever the endpoint does, so that there `--s3-use-unsigned-payload` is added.

    Fix: implement ListObjectsV2 with encoding-type=url, and accept what the AWS SDKs send.
    """
    aws = ("--s3-provider", "AWS")
    contents = {"a+b & c/é%41.txt": b"read as Amazon's", "plain.txt": b"plain"}
    stored(s3, contents)
    run = s3.program("lsf", "-R", "--files-only", remote(s3), *aws)
    if sorted(lines(run)) != sorted(contents) and _misled(s3, run):
        raise Inexpressible("with provider AWS rclone puts the bucket in the host name, whatever it is told")
    printed(s3, run, *contents)
    reads = s3.program("cat", remote(s3, "a+b & c/é%41.txt"), *aws)
    s3.expect(reads, ok(), body(b"read as Amazon's"))
    source = files(s3, {"uploaded.txt": b"stored as Amazon's"})
    unsigned = ("--s3-use-unsigned-payload=true",) if _plain(s3) else ()
    run = s3.program("copy", str(source), remote(s3), *aws, *unsigned, OWN_BUCKET)
    s3.expect(run, ok())
    holds(s3, contents | {"uploaded.txt": b"stored as Amazon's"})


@scenario(
    "RCLONE-061",
    SHOULD,
    "PutObject",
    source="AWS SDK for Go, standard retry mode; measured with rclone 1.75.2",
    clients=("rclone",),
)
def refusals_are_final(s3: Scene) -> None:
    """`rclone` does not take a failed condition or a wrong signature for something to try again.

    S3 promises: what is refused for good has a status of its own kind, 412 or 403; 429, 500 and 503 ask the client to
    come back. rclone's SDK says "exceeded maximum number of attempts" of the latter alone. Whether an endpoint
    refuses both is the matter of RCLONE-032 and RCLONE-062; here one refusal is enough.

    Breaks: whoever waits: by default rclone asks up to 60 times, for minutes, before it tells of such a refusal.

    Fix: answer 412 PreconditionFailed and 403 SignatureDoesNotMatch, not 500.
    """
    stored(s3, KEPT)
    runs = [
        s3.program("rcat", remote(s3, "kept.txt"), OWN_BUCKET, *flags, stdin=b"to be refused")
        for flags in (("--header-upload", "If-None-Match: *"), ("--s3-secret-access-key", WRONG))
    ]
    refusals = [run for run in runs if run.exit_code]
    s3.check(bool(refusals), "a refusal of one of both", "both uploads were accepted", runs[-1])
    for run in refusals:
        text = f"exit code 1 and a final refusal of {UPLOAD}"
        final = run.exit_code == 1 and f"S3: {UPLOAD}," in run.stderr and SDK_GAVE_UP not in run.stderr
        s3.check(final, text, f"got {run.summary()}: {run.stderr[-300:]!r}", run)
        if run.exchanges:
            statuses = [exchange.status or 0 for _, exchange in sent(s3, run, UPLOAD)]
            s3.check(
                statuses in ([403], [412]), f"one {UPLOAD}, refused with 403 or 412", f"status was {statuses}", run
            )
    if len(refusals) == len(runs):
        holds(s3, KEPT)


@scenario(
    "RCLONE-062",
    SHOULD,
    "PutObject",
    "ListObjects",
    source="AWS SigV4 signing; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def wrong_secret(s3: Scene) -> None:
    """`rclone rcat` and `lsf` with a wrong secret end with exit code 1, say 403, and neither store nor show anything.

    S3 promises: a request whose signature is not that of the key's owner is refused with 403 SignatureDoesNotMatch.

    Breaks: everybody's data: an access key id is no secret.

    Fix: compute the signature of every request and compare; answer 403 SignatureDoesNotMatch.
    """
    stored(s3, KEPT)
    wrong = ("--s3-secret-access-key", WRONG)
    run = s3.program("rcat", remote(s3, "intruder"), OWN_BUCKET, *wrong, stdin=b"not to be stored")
    told_refusal(s3, run, "PutObject", 403, "SignatureDoesNotMatch")
    run = s3.program("lsf", remote(s3), *wrong)
    told_refusal(s3, run, "ListObjects", 403, "SignatureDoesNotMatch")
    s3.check(not lines(run), "nothing is listed", f"it printed {run.stdout[:200]!r}", run)
    s3.expect(s3.look("GetObject", Key=s3.key("intruder")), refused(404, "NoSuchKey"))
    holds(s3, KEPT)


def _plain(s3: Scene) -> bool:
    """Whether the endpoint speaks plain http."""
    return isinstance(s3.client, ProgramClient) and s3.client.origin.scheme == "http"


def _misled(s3: Scene, run: Observed) -> bool:
    """Whether rclone put the bucket in the host name although the run has it in the path, as provider AWS does."""
    if not isinstance(s3.client, ProgramClient) or s3.client.endpoint.addressing != "path":
        return False
    origin = s3.client.origin
    if run.exchanges:
        return any(urlsplit(exchange.url).netloc.lower() != origin.authority.lower() for exchange in run.exchanges)
    try:
        ipaddress.ip_address(origin.host)
    except ValueError:
        return True
    return False
