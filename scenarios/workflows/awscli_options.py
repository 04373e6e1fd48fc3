"""Options of `aws s3 cp`: what an object is stored with, what must not be overwritten, and what is not there."""

from __future__ import annotations

import base64
import hashlib

from harness.expect import body, header, metadata, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._awscli import copy_source, done, holds, written
from scenarios.workflows._steps import exits, found, tells

BODY = b"a body"


@scenario(
    "AWSCLI-014",
    SHOULD,
    "HeadObject",
    source="AWS CLI reference, s3 cp; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_of_a_missing_key(s3: Scene) -> None:
    """`aws s3 cp` of a key that does not exist ends with exit code 1, says 404, and writes no file.

    S3 promises: HeadObject of a missing key is 404 to whoever may list the bucket.

    Breaks: scripts that tell "not there yet" from "not allowed": with 403 they give up, or ask for other rights.

    Fix: answer HEAD of a missing key with 404 and no body.
    """
    path = s3.folder / "none"
    s3.put(s3.key("some"))
    run = s3.program("s3", "cp", f"s3://{s3.bucket}/{s3.key('none')}", str(path), "--no-progress")
    s3.check(found(path.parent) == {}, "no file", f"there is {list(found(path.parent))}", run)
    if "(404)" not in run.stderr:
        s3.expect(s3.look("HeadObject", Key=s3.key("none")), refused(404))
    s3.expect(run, exits(1), tells("(404) when calling the HeadObject operation"))


@scenario(
    "AWSCLI-015",
    EXTENDED,
    "PutObject",
    source="AWS CLI version 2 reference, s3 cp, no-overwrite; Amazon S3 User Guide, conditional writes",
    clients=("awscli",),
    confidence="unverified",  # nobody has seen it fail yet: the client that has the option is not at hand
)
def cp_without_overwriting(s3: Scene) -> None:
    """`aws s3 cp --no-overwrite` (version 2) keeps what is there, stores what is not, and ends with exit code 0.

    S3 promises: PutObject with If-None-Match: * is 412 where the key exists and changes nothing.

    Breaks: locks and write-once archives. The CLI takes 412 for a reason to skip and says nothing: whether the store
    ignored the condition and overwrote is seen in the object alone.

    Fix: check If-None-Match: * before storing; 412 PreconditionFailed where the key exists.
    """
    old, new = s3.key("old"), s3.key("new")
    s3.put(old, b"kept")
    folder = written(s3.folder, {"old": b"not to be stored", "new": BODY})
    target = f"s3://{s3.bucket}/{s3.prefix}"
    run = s3.program("s3", "cp", str(folder), target, "--recursive", "--no-overwrite", "--no-progress")
    s3.expect(run, exits(0))
    holds(s3, {old: b"kept", new: BODY})


@scenario(
    "AWSCLI-016",
    SHOULD,
    "PutObject",
    "HeadObject",
    source="AWS CLI reference, s3 cp; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_with_metadata(s3: Scene) -> None:
    """`aws s3 cp --metadata --content-type --cache-control …` stores what it was told with the object.

    S3 promises: user metadata and the standard headers of PutObject come back with GetObject and HeadObject.

    Breaks: web sites: pages that are offered for download, or kept by caches for ever.

    Fix: store Content-Type, Cache-Control, Content-Disposition, Content-Language and x-amz-meta-*; give them back.
    """
    path = written(s3.folder, {"page": BODY}) / "page"
    told = {
        "content-type": "text/x-special",
        "cache-control": "max-age=60",
        "content-disposition": "attachment",
        "content-language": "de",
    }
    options = [word for name, value in told.items() for word in (f"--{name}", value)]
    target = f"s3://{s3.bucket}/{s3.key('page')}"
    run = s3.program("s3", "cp", str(path), target, *options, "--metadata", "colour=blue,size=9", "--no-progress")
    done(s3, run, "PutObject", Key=s3.key("page"), Body=BODY)
    found = s3.expect(s3.look("GetObject", Key=s3.key("page")), ok(), body(BODY))
    s3.expect(found, metadata({"colour": "blue", "size": "9"}), *(header(*item) for item in told.items()))


@scenario(
    "AWSCLI-038",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="AWS CLI reference, s3 cp, storage-class; Amazon S3 API reference, HeadObject",
    clients=("awscli",),
)
def cp_with_a_storage_class(s3: Scene) -> None:
    """`aws s3 cp --storage-class STANDARD_IA` stores the object in that class, and HeadObject says so.

    S3 promises: x-amz-storage-class of an upload comes back with every object that is not in STANDARD.

    Breaks: archives: data kept in a class that nobody chose, and paid for as such.

    Fix: keep the class, or refuse the ones that are not offered with 400 InvalidStorageClass.
    """
    path = written(s3.folder, {"rare": BODY}) / "rare"
    target = f"s3://{s3.bucket}/{s3.key('rare')}"
    run = s3.program("s3", "cp", str(path), target, "--storage-class", "STANDARD_IA", "--no-progress")
    done(s3, run, "PutObject", Key=s3.key("rare"), Body=BODY, StorageClass="STANDARD_IA")
    found = s3.expect(s3.look("GetObject", Key=s3.key("rare")), ok(), body(BODY))
    s3.expect(found, header("x-amz-storage-class", "STANDARD_IA"))


@scenario(
    "AWSCLI-039",
    SHOULD,
    "CopyObject",
    source="AWS CLI reference, s3 cp, metadata-directive; Amazon S3 API reference, CopyObject",
    clients=("awscli",),
)
def cp_onto_itself(s3: Scene) -> None:
    """`aws s3 cp` of an object onto itself with --metadata-directive REPLACE changes its metadata, not its bytes.

    S3 promises: CopyObject onto the same key is allowed where the metadata is replaced; nothing of the old is left.

    Breaks: whoever corrects the type or the cache time of what is already stored; on some stores it empties the object.

    Fix: honour x-amz-metadata-directive; read the source before the target is written.
    """
    key = s3.key("page")
    s3.put(key, BODY, ContentType="text/x-old", Metadata={"old": "1"})
    url = f"s3://{s3.bucket}/{key}"
    new = ("--metadata", "new=2", "--content-type", "text/x-new")
    run = s3.program("s3", "cp", url, url, "--metadata-directive", "REPLACE", *new)
    directive = {"MetadataDirective": "REPLACE", "Metadata": {"new": "2"}}
    done(s3, run, "CopyObject", Key=key, CopySource=copy_source(s3, key), **directive)
    found = s3.expect(s3.look("GetObject", Key=key), ok(), body(BODY))
    s3.expect(found, metadata({"new": "2"}), header("content-type", "text/x-new"))


@scenario(
    "AWSCLI-040",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="AWS CLI reference, s3 cp, checksum-algorithm; Amazon S3 User Guide, checking object integrity",
    clients=("awscli",),
)
def cp_with_a_checksum(s3: Scene) -> None:
    """`aws s3 cp --checksum-algorithm SHA256` stores the object with that checksum, and HeadObject shows it.

    S3 promises: a checksum sent with an upload, in a header or in the trailer, is checked, kept, and shown to who asks
    with x-amz-checksum-mode: ENABLED.

    Breaks: audits that compare stored checksums and never read the data again.

    Fix: check the checksum, keep it with the object, give it back in x-amz-checksum-sha256.
    """
    path = written(s3.folder, {"audited": BODY}) / "audited"
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    target = f"s3://{s3.bucket}/{s3.key('audited')}"
    run = s3.program("s3", "cp", str(path), target, "--checksum-algorithm", "SHA256", "--no-progress")
    done(s3, run, "PutObject", Key=s3.key("audited"), Body=BODY, ChecksumSHA256=digest)
    found = s3.expect(s3.look("GetObject", Key=s3.key("audited"), ChecksumMode="ENABLED"), ok(), body(BODY))
    s3.expect(found, header("x-amz-checksum-sha256", digest))
