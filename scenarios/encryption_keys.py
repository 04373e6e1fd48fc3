"""ENC: encryption with a key that the user provides (SSE-C).

AWS refuses such requests over plain http with 400 InvalidRequest, before it looks at the key. Endpoints that allow
them there, as most gateways do in a private network, can be asked over either.
"""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import body, header, ok, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._customer_keys import OTHER_KEY, customer_key
from scenarios.etag import content_md5

_CONTENT = b"readable with the key alone"


def _stored(s3: Scene) -> str:
    """The key of an object that the client stored with `KEY`, and can read with it."""
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT, **customer_key()), ok())
    s3.expect(s3.call("GetObject", Key=key, **customer_key()), ok(), body(_CONTENT))
    return key


@scenario(
    "ENC-003",
    EXTENDED,
    "PutObject",
    source="LocalStack test_put_object_validation_sse_c (recorded on AWS)",
    clients=("raw",),
)
def incomplete_customer_key(s3: Scene) -> None:
    """With SSE-C a faulty key or MD5 is 400 InvalidArgument, another algorithm 400 InvalidEncryptionAlgorithmError.

    S3 promises: algorithm, key and MD5 come together; one that is missing is InvalidArgument as well. The MD5 is that
    of the key, and the key has 32 bytes. Nothing is stored otherwise. Over plain http AWS refuses all of it, the right
    request too.

    Breaks: a client whose key was damaged on the way must be told: an object encrypted with what arrived could never
    be read again.

    Fix: check algorithm, key, length and MD5 before the body is read.
    """
    right = customer_key()
    wrong = [({name: value for name, value in right.items() if name != left_out}) for left_out in right]
    wrong += [right | {"SSECustomerKeyMD5": content_md5(OTHER_KEY)}, customer_key(b"too short")]
    cases = [(headers, "InvalidArgument") for headers in wrong]
    cases.append((right | {"SSECustomerAlgorithm": "AES128"}, "InvalidEncryptionAlgorithmError"))
    for headers, code in cases:
        answer = s3.call("PutObject", Key=s3.key("refused"), Body=_CONTENT, **headers)
        s3.expect(answer, refused(400, code))
    s3.expect(s3.look("HeadObject", Key=s3.key("refused")), refused(404))
    s3.expect(s3.call("PutObject", Key=s3.key(), Body=_CONTENT, **right), ok())
    s3.expect(s3.look("GetObject", Key=s3.key(), **right), ok(), body(_CONTENT))


@scenario(
    "ENC-004",
    EXTENDED,
    "GetObject",
    "HeadObject",
    source="LocalStack test_object_retrieval_sse_c (recorded on AWS)",
    clients=LIBRARIES,
)
def customer_key_needed(s3: Scene) -> None:
    """An object stored with a customer key cannot be read without it: GET is 400 InvalidRequest, HEAD 400.

    S3 promises: the service does not keep the key, so every read must bring it, HEAD too. The answer to a read with
    the key tells the algorithm.

    Breaks: the encryption itself: an endpoint that serves the object without the key either stored it in clear, or
    kept the key.

    Fix: remember the MD5 of the key with the object, and refuse reads that lack the headers.
    """
    key = _stored(s3)
    s3.expect(s3.call("GetObject", Key=key), refused(400, "InvalidRequest"))
    s3.expect(s3.call("HeadObject", Key=key), refused(400))
    told = header("x-amz-server-side-encryption-customer-algorithm", "AES256")
    s3.expect(s3.call("HeadObject", Key=key, **customer_key()), ok(), told)


@scenario(
    "ENC-005",
    EXTENDED,
    "GetObject",
    "HeadObject",
    source="LocalStack test_object_retrieval_sse_c (recorded on AWS)",
    clients=LIBRARIES,
)
def wrong_customer_key(s3: Scene) -> None:
    """A read with another customer key than the object was stored with is 403 AccessDenied, for HEAD 403.

    S3 promises: the key is compared with the one of the upload before anything is sent.

    Breaks: programs that rotate their keys tell "wrong key" by this answer. Bytes decrypted with the wrong key would
    be taken for the object.

    Fix: compare the MD5 of the key with the stored one, also for HEAD and for ranges.
    """
    key = _stored(s3)
    s3.expect(s3.call("GetObject", Key=key, **customer_key(OTHER_KEY)), refused(403, "AccessDenied"))
    s3.expect(s3.call("HeadObject", Key=key, **customer_key(OTHER_KEY)), refused(403))
    s3.expect(s3.call("HeadObject", Key=key, **customer_key()), ok())


@scenario(
    "ENC-006",
    EXTENDED,
    "UploadPart",
    source="LocalStack test_multipart_upload_sse_c_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def customer_key_of_parts(s3: Scene) -> None:
    """Parts must bring the customer key of their upload: without it, or with another one, they are 400 InvalidRequest.

    S3 promises: CreateMultipartUpload fixes how the object is encrypted; each UploadPart repeats the three headers.
    A part without them, or with another key, is refused.

    Breaks: SDKs and rclone send the key with every part. A gateway that takes a part without it stores part of the
    object in clear, or builds an object that no single key can read.

    Fix: keep the MD5 of the key with the upload, and compare it for every part.
    """
    key = s3.key()
    created = s3.expect(s3.call("CreateMultipartUpload", Key=key, **customer_key()), ok())
    upload = {"Key": key, "UploadId": created.output.get("UploadId") or "none"}
    part = upload | {"PartNumber": 1, "Body": _CONTENT}
    for headers in ({}, customer_key(OTHER_KEY)):
        s3.expect(s3.call("UploadPart", **part, **headers), refused(400, "InvalidRequest"))
    s3.expect(s3.call("UploadPart", **part, **customer_key()), ok())
