"""s3cmd commands that copy on the server, with the access list: `cp`, `mv`, `modify`.

s3cmd reads the access list of the source, copies, and writes the list to the copy. It goes on where the store says
501 to that. In a bucket without access lists, as S3 makes them since 2023, the write is 400
AccessControlListNotSupported: s3cmd then ends with exit code 1, although the copy is there, and has to be told
--acl-private. Source: s3tools/s3cmd#1304; measured with s3cmd 2.4.0.
"""

from __future__ import annotations

from urllib.parse import quote

from harness.clients.base import Observed
from harness.expect import body, ok, output, output_where
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.meta import has_metadata
from scenarios.workflows._refusals import error_code, judge
from scenarios.workflows._steps import finished, place, requests

CONTENT = b"copied by s3cmd"
META = {"colour": "blue"}


def copied(s3: Scene, command: str, *arguments: str, key: str, source: str) -> Observed:
    """A command that copies, as users give it; once more with --acl-private where the store has no access lists.

    Args:
        s3: the scene.
        command: the command.
        arguments: what follows it.
        key: the key of the copy.
        source: the key of the source.

    Raises:
        Mismatch: it was refused for another reason, or the user is not told why.
    """
    run = s3.program(command, *arguments)
    refused = [one for one in requests(s3, run, "GetObjectAcl", "PutObjectAcl") if (one.status or 0) >= 400]
    codes = {error_code(one) for one in refused if one.status != 501}
    if run.exit_code and codes:
        shown = run.stderr.strip()[-300:]
        told = run.exit_code == 1 and any(code and code in run.stderr for code in codes)
        s3.check(told, f"exit code 1 and {' or '.join(codes)}", f"it ended with {run.exit_code}: {shown!r}", run)
        s3.expect(s3.look("GetObject", Key=source), ok(), body(CONTENT))
        run = s3.program(command, "--acl-private", *arguments)
    if run.exit_code and not requests(s3, run, "CopyObject"):
        s3.expect(s3.look("GetObjectAcl", Key=source), ok(), output_where("Owner", "who owns the object", bool))
    if not any(one.status == 200 for one in requests(s3, run, "CopyObject")):
        name = quote(f"{s3.bucket}/{source}")
        s3.expect(s3.look("CopyObject", Key=s3.key("by-witness"), CopySource=name), ok())
        sent = len(requests(s3, run, "CopyObject"))
        s3.check(False, "a CopyObject that succeeds", f"it sent {sent} and said {run.stderr.strip()[-300:]!r}", run)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT), has_metadata(META))
    return run


@scenario(
    "S3CMD-012",
    SHOULD,
    "CopyObject",
    "DeleteObject",
    "GetObjectAcl",
    "PutObjectAcl",
    source="s3cmd documentation, mv; s3tools/s3cmd#1304; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def mv(s3: Scene) -> None:
    """`s3cmd mv` gives an object another name, with its metadata; the old one goes, or a refusal is told and it stays.

    S3 promises: the ACL of an object can be read; where it cannot be written the copy is there all the same, and the
    source is not deleted.

    Breaks: s3cmd, where ?acl is answered with anything but 200 and 501; users then have to say --acl-private.

    Fix: answer ?acl with 501 NotImplemented if there are no access lists; do not take `PUT ?acl` for an upload.
    """
    old, new = s3.key("old é+"), s3.key("new é+")
    s3.put(old, CONTENT, Metadata=META)
    run = copied(s3, "mv", place(s3, "old é+"), place(s3, "new é+"), key=new, source=old)
    judge(s3, run, {old: CONTENT})


@scenario(
    "S3CMD-013",
    SHOULD,
    "CopyObject",
    "GetObjectAcl",
    "PutObjectAcl",
    source="s3cmd documentation, cp; s3tools/s3cmd#1304; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def cp(s3: Scene) -> None:
    """`s3cmd cp` copies an object on the server, with its metadata, and leaves the source as it was.

    S3 promises: x-amz-metadata-directive COPY keeps type and metadata.

    Breaks: s3cmd, where ?acl is answered with anything but 200 and 501; users then have to say --acl-private.

    Fix: decode x-amz-copy-source once; 501 NotImplemented for ?acl if there are no access lists.
    """
    s3.put(s3.key("a b+é"), CONTENT, Metadata=META)
    run = copied(s3, "cp", place(s3, "a b+é"), place(s3, "copy"), key=s3.key("copy"), source=s3.key("a b+é"))
    finished(s3, run)
    s3.expect(s3.look("GetObject", Key=s3.key("a b+é")), ok(), body(CONTENT), has_metadata(META))


@scenario(
    "S3CMD-014",
    SHOULD,
    "CopyObject",
    "HeadObject",
    source="s3cmd documentation, modify; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def modify(s3: Scene) -> None:
    """`s3cmd modify --add-header` changes a header of an object by copying it onto itself; all else stays.

    S3 promises: a copy onto itself is granted if its metadata are replaced, and keeps the bytes.

    Breaks: whoever sets Cache-Control or a type afterwards; a store that ignores the directive says 200 and changes
    nothing, one that empties the object loses it.

    Fix: with x-amz-metadata-directive REPLACE, take headers and metadata from the request, and the bytes as they are.
    """
    key = s3.key("object")
    s3.put(key, CONTENT, Metadata=META, ContentType="text/x-a")
    header = "--add-header=Cache-Control:no-store"
    finished(s3, copied(s3, "modify", header, place(s3, "object"), key=key, source=key))
    shown = s3.look("HeadObject", Key=key)
    s3.expect(shown, ok(), output("CacheControl", "no-store"), output("ContentType", "text/x-a"))
