"""`aws s3 cp`: up, down and across, in one piece and in parts.

The same scenarios run over http and https. Over https the AWS CLI sends bodies as aws-chunked with a checksum in the
trailer, over http with the checksum in a header: each of these scenarios proves the way of the endpoint's scheme.
"""

from __future__ import annotations

from harness.expect import body, header, metadata, ok
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._awscli import PARTS, configured, copy_source, done, holds, written
from scenarios.workflows._steps import LARGE, found, prints

BINARY = bytes(range(256)) + b"\r\n\0 end\xff"
"""Every byte value, and no valid UTF-8."""


@scenario(
    "AWSCLI-008",
    MUST,
    "PutObject",
    source="AWS CLI reference, s3 cp; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_up(s3: Scene) -> None:
    """`aws s3 cp FILE s3://…/` stores the file's bytes under its name, with the content type of its ending.

    S3 promises: PutObject stores exactly the bytes sent, without the framing or trailer they came in, and the headers.

    Breaks: everybody; a store that keeps the framing of aws-chunked gives back other bytes than it took.

    Fix: decode aws-chunked, check the checksum, store what is left; keep Content-Type.
    """
    path = written(s3.folder, {"page.html": BINARY}) / "page.html"
    run = s3.program("s3", "cp", str(path), f"s3://{s3.bucket}/{s3.prefix}", "--no-progress")
    done(s3, run, "PutObject", Key=s3.key("page.html"), Body=BINARY)
    s3.expect(run, prints("upload: "), prints(f"s3://{s3.bucket}/{s3.key('page.html')}"))
    found = s3.look("GetObject", Key=s3.key("page.html"))
    s3.expect(found, ok(), body(BINARY), header("content-type", "text/html"))


@scenario(
    "AWSCLI-009",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="AWS CLI S3 configuration, multipart_threshold; aws 1.46.2 and 2.36.7 measured to end with exit code 0 when "
    "CompleteMultipartUpload is answered 200 with an empty body",
    clients=("awscli",),
)
def cp_up_in_parts(s3: Scene) -> None:
    """`aws s3 cp` of a file over the threshold uploads it in parts, and all of it can be read again.

    S3 promises: CompleteMultipartUpload answers 200 with a result only when the object is there, parts in order.

    Breaks: backups. After a 200 with an empty body or with an error in it the AWS CLI prints `upload: …` and ends with
    exit code 0, and there is no object.

    Fix: answer CompleteMultipartUpload when the object can be read; put an error into the body if it cannot.
    """
    content = LARGE
    path = written(s3.folder, {"large.bin": content}) / "large.bin"
    target = f"s3://{s3.bucket}/{s3.key('large.bin')}"
    run = s3.program("s3", "cp", str(path), target, "--no-progress", environment=configured(s3, PARTS))
    done(s3, run, "CreateMultipartUpload", Key=s3.key("large.bin"))
    s3.expect(s3.look("GetObject", Key=s3.key("large.bin")), ok(), body(content))


@scenario(
    "AWSCLI-035",
    MUST,
    "GetObject",
    "HeadObject",
    source="AWS CLI S3 configuration, multipart_chunksize; wire measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_down_in_ranges(s3: Scene) -> None:
    """`aws s3 cp s3://… FILE` of an object over the threshold reads it in ranges and puts them together again.

    S3 promises: GetObject with Range answers 206 with exactly these bytes, HeadObject the whole length.

    Breaks: downloads of all that is larger than 8 MiB; a server that ignores Range gives every range the first bytes.

    Fix: answer byte ranges with 206 and Content-Range.
    """
    content = LARGE[:350_001]
    s3.put(s3.key("large.bin"), content)
    path = s3.folder / "large.bin"
    ranges = configured(s3, {"multipart_threshold": "100000", "multipart_chunksize": "100000"})
    source = f"s3://{s3.bucket}/{s3.key('large.bin')}"
    run = s3.program("s3", "cp", source, str(path), "--no-progress", environment=ranges)
    done(s3, run, "HeadObject", Key=s3.key("large.bin"))
    shown = found(path.parent)
    sizes = {name: len(data) for name, data in shown.items()}
    s3.check(shown == {"large.bin": content}, f"a file of the object's {len(content)} bytes", f"files: {sizes}", run)


@scenario(
    "AWSCLI-010",
    MUST,
    "PutObject",
    source="AWS CLI reference, s3 cp; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_from_stdin(s3: Scene) -> None:
    """`aws s3 cp - s3://…` stores what it reads from standard input.

    S3 promises: PutObject stores exactly the bytes sent.

    Breaks: dumps piped into a bucket, for which there is no second copy to compare with.

    Fix: take bodies of any bytes; decode aws-chunked over https.
    """
    run = s3.program("s3", "cp", "-", f"s3://{s3.bucket}/{s3.key('piped + é')}", stdin=BINARY)
    done(s3, run, "PutObject", Key=s3.key("piped + é"), Body=BINARY)
    s3.expect(s3.look("GetObject", Key=s3.key("piped + é")), ok(), body(BINARY))


@scenario(
    "AWSCLI-036",
    SHOULD,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="AWS CLI reference, s3 cp, expected-size; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_from_stdin_in_parts(s3: Scene) -> None:
    """`aws s3 cp - s3://…` of more than the threshold uploads a stream of unknown length in parts.

    S3 promises: the size of a multipart upload need not be known before its end.

    Breaks: large dumps piped into a bucket.

    Fix: take parts as they come; answer CompleteMultipartUpload when the object can be read.
    """
    content = LARGE
    target = f"s3://{s3.bucket}/{s3.key('dump')}"
    run = s3.program("s3", "cp", "-", target, stdin=content, environment=configured(s3, PARTS))
    done(s3, run, "CreateMultipartUpload", Key=s3.key("dump"))
    s3.expect(s3.look("GetObject", Key=s3.key("dump")), ok(), body(content))


@scenario(
    "AWSCLI-011",
    MUST,
    "GetObject",
    "HeadObject",
    source="AWS CLI reference, s3 cp; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_to_stdout(s3: Scene) -> None:
    """`aws s3 cp s3://… -` writes exactly the object's bytes to standard output.

    S3 promises: GetObject gives the stored bytes, HeadObject the same length as GetObject.

    Breaks: restores that pipe an object into a program; a byte too many or too few there is seen by nobody.

    Fix: serve what was stored, without re-encoding.
    """
    s3.put(s3.key("object"), BINARY)
    run = s3.program("s3", "cp", f"s3://{s3.bucket}/{s3.key('object')}", "-")
    done(s3, run, "HeadObject", Key=s3.key("object"))
    s3.expect(run, body(BINARY))


@scenario(
    "AWSCLI-012",
    MUST,
    "CopyObject",
    "HeadObject",
    source="AWS CLI reference, s3 cp; Amazon S3 API reference, CopyObject; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_across(s3: Scene) -> None:
    """`aws s3 cp s3://… s3://…` copies bytes, content type and metadata within the server.

    S3 promises: CopyObject copies the data, and with the directive COPY, which is the default, the metadata too.

    Breaks: renames and staging areas; an object that is served with another type than before.

    Fix: take over Content-Type and x-amz-meta-* unless x-amz-metadata-directive says REPLACE.
    """
    s3.put(s3.key("from + é"), BINARY, ContentType="text/x-special", Metadata={"colour": "blue"})
    source, target = s3.key("from + é"), s3.key("sub/to")
    run = s3.program("s3", "cp", f"s3://{s3.bucket}/{source}", f"s3://{s3.bucket}/{target}")
    done(s3, run, "CopyObject", Key=target, CopySource=copy_source(s3, source))
    holds(s3, {source: BINARY, target: BINARY})
    found = s3.expect(s3.look("HeadObject", Key=target), ok(), header("content-type", "text/x-special"))
    s3.expect(found, metadata({"colour": "blue"}))


def copied_in_parts(s3: Scene, *options: str) -> str:
    """A large object with metadata, copied by `aws s3 cp` in parts; the key of its copy.

    Raises:
        Mismatch: the copy failed.
    """
    facts = {"ContentType": "text/x-special", "Metadata": {"colour": "blue"}}
    source, target = s3.key("large.bin"), s3.key("copy.bin")
    s3.put(source, LARGE, **facts)
    urls = [f"s3://{s3.bucket}/{key}" for key in (source, target)]
    run = s3.program("s3", "cp", *urls, "--no-progress", *options, environment=configured(s3, PARTS))
    asked: dict[str, str] = {}
    if run.exit_code != 0:
        asked = {"UploadId": s3.setup("CreateMultipartUpload", Key=target).output.get("UploadId", "")}
    done(s3, run, "UploadPartCopy", Key=target, PartNumber=1, CopySource=copy_source(s3, source), **asked)
    return target


@scenario(
    "AWSCLI-013",
    SHOULD,
    "UploadPartCopy",
    "CompleteMultipartUpload",
    source="AWS CLI S3 configuration, multipart_threshold; wire measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def cp_across_in_parts(s3: Scene) -> None:
    """`aws s3 cp s3://… s3://…` of an object over the threshold copies it in parts within the server.

    S3 promises: UploadPartCopy makes a part of a range of another object, and answers with its ETag.

    Breaks: renames and staging areas with objects over 8 MiB; with a store that answers 200 and copies nothing the
    copy is short or missing. Version 2 also asks for GetObjectTagging and fails where that does.

    Fix: implement UploadPartCopy with x-amz-copy-source-range; answer GetObjectTagging with an empty TagSet.
    """
    target = copied_in_parts(s3)
    s3.expect(s3.look("GetObject", Key=target), ok(), body(LARGE))


@scenario(
    "AWSCLI-037",
    EXTENDED,
    "UploadPartCopy",
    "CreateMultipartUpload",
    source="AWS CLI version 2 reference, s3 cp, copy-props; measured with aws 2.23.6",
    clients=("awscli",),
)
def cp_across_in_parts_with_properties(s3: Scene) -> None:
    """`aws s3 cp --copy-props metadata-directive` (version 2) takes metadata and content type along in parts.

    S3 promises: CreateMultipartUpload keeps the metadata and headers it is given, as PutObject does.

    Breaks: sites and archives whose large objects lose their type when they are moved.

    Fix: store the headers of CreateMultipartUpload with the upload, and give them to the object.
    """
    target = copied_in_parts(s3, "--copy-props", "metadata-directive")
    found = s3.expect(s3.look("GetObject", Key=target), ok(), body(LARGE))
    s3.expect(found, metadata({"colour": "blue"}), header("content-type", "text/x-special"))
