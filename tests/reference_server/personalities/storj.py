"""Steps that the tests of Storj's gateways share."""

from __future__ import annotations

from tests.reference_server.conftest import Raw, Reply

BUCKET = "/st-bucket"


def said(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.code, reply.element("Message")


def begun(raw: Raw, key: str, headers: dict[str, str] | None = None) -> str:
    reply = raw("POST", f"{BUCKET}/{key}?uploads", headers=headers or {})
    assert reply.status == 200
    return reply.element("UploadId")


def completed(raw: Raw, key: str, upload: str, etags: dict[int, str]) -> Reply:
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in etags.items())
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    return raw("POST", f"{BUCKET}/{key}?uploadId={upload}", document)
