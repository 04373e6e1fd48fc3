"""Surveys of endpoints that are not the bundled server, refuse, lie, or are not to be trusted."""

from __future__ import annotations

import dataclasses
import itertools
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.probe import KNOBS, probe, survey
from harness.record import NOTHING, UNKNOWN
from harness.wire.sigv4 import Credentials
from tests.harness.probe.conftest import KEYS, Found, sandboxed, serving
from tests.harness.probe.test_texts import program
from tests.support import Handler, stub

BUCKET = "somebody-elses"
ONLY_ALONE = {"use_already_exists", "no_check_bucket", "versioning", "list_versions_oldest_first"}


def found(endpoint: Endpoint, folder: Path, bucket: str = "", *, leaves: bool = False) -> Found:
    """The findings about an endpoint, by knob."""
    with sandboxed(endpoint, folder, bucket, leaves=leaves) as sandbox:
        return {finding.knob: finding for finding in survey(endpoint, sandbox)}


@contextmanager
def rclone_serving(folder: Path) -> Iterator[Endpoint]:
    """`rclone serve s3` of an empty folder."""
    keys = Credentials("AKAKAKAK", "SKSKSKSK")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "served").mkdir()
    command = [program("rclone"), "serve", "s3", "--auth-key", "AKAKAKAK,SKSKSKSK", "--addr", address, "served"]
    with subprocess.Popen(
        [*command, "--config", "none"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            endpoint = Endpoint(f"http://{address}", keys, timeout=10)
            client = RawClient(endpoint)
            deadline = time.monotonic() + 30
            while client.call("ListBuckets", {}).failure:
                assert time.monotonic() < deadline, "rclone serve s3 does not answer"
                time.sleep(0.05)
            client.close()
            yield endpoint
        finally:
            process.terminate()
            process.wait(10)


def test_rclone_serve_needs_what_rclone_ships_for_it(tmp_path: Path) -> None:
    """The provider's file has exactly the quirks of rclone's own `provider/Rclone.yaml`."""
    with rclone_serving(tmp_path) as endpoint, sandboxed(endpoint, tmp_path) as sandbox:
        advice = probe(endpoint, sandbox)
    lines = advice.texts["provider.yaml"].partition("quirks:\n")[2].splitlines()
    assert {line.strip() for line in lines if not line.strip().startswith("#")} == {
        "force_path_style: true",
        "use_multipart_etag: false",
        "use_already_exists: false",
        "copy_cutoff: 9223372036854775807",
    }
    assert "copy_cutoff = 1Pi\n" in advice.texts["rclone.conf"]


def test_a_bucket_that_is_given_is_left_as_it_was(tmp_path: Path) -> None:
    """Nothing but keys below the run's prefix is written or removed, and no other bucket is made."""
    with serving() as (app, endpoint):
        client = RawClient(endpoint)
        client.call("CreateBucket", {"Bucket": BUCKET})
        client.call("PutObject", {"Bucket": BUCKET, "Key": "theirs", "Body": b"theirs"})
        requests: list[tuple[str, str]] = []
        honest = app.seams.wire

        def noting(head, body):
            requests.append((head.method, head.target.decode()))
            return honest(head, body)

        app.seams.wire = noting
        findings = found(endpoint, tmp_path, BUCKET)
        app.seams.wire = honest
        buckets = client.call("ListBuckets", {}).output["Buckets"]
        assert [entry["Name"] for entry in buckets] == [BUCKET]
        assert client.call("ListObjectsV2", {"Bucket": BUCKET}).keys == ["theirs"]
        client.close()
    assert {name for name, one in findings.items() if one.value == UNKNOWN} == ONLY_ALONE
    writes = [target for method, target in requests if method in ("PUT", "POST", "DELETE")]
    below = re.compile(rf"/{BUCKET}/s3conform-[0-9a-f-]+/probe/")
    assert {target for target in writes if not below.match(target)} == {f"/{BUCKET}?delete="}
    listings = [target for method, target in requests if method == "GET" and target.startswith(f"/{BUCKET}?")]
    assert all("prefix=s3conform-" in target for target in listings if "object-lock" not in target)


def test_virtual_hosted_style(tmp_path: Path) -> None:
    """Probed with the bucket in the host name, everything else is found as it is in the path."""
    with serving() as (_, endpoint):
        by_name = msgspec.structs.replace(
            endpoint, url=endpoint.url.replace("127.0.0.1", "localhost"), addressing="virtual"
        )
        findings = found(by_name, tmp_path)
    different = {knob.name for knob in KNOBS if findings[knob.name].value != knob.standard}
    assert different == set()
    assert "in the host name it is found" in findings["addressing"].observation


def test_an_address_has_no_bucket_before_it(tmp_path: Path) -> None:
    """No SDK would try that, so that its default is right."""
    with serving() as (_, endpoint):
        addressing = found(endpoint, tmp_path)["addressing"]
    assert (addressing.value, addressing.working) == ("path", ("path", "auto"))


def test_path_style_that_is_refused(tmp_path: Path) -> None:
    """Only the host name is left, where clients look for the bucket if told so."""
    with serving() as (app, endpoint):
        honest = app.seams.wire

        def only_hosts(head, body):
            path = head.target.partition(b"?")[0]
            if path.count(b"/") > 1 and not head.headers["host"].startswith("s3conform-"):
                head = dataclasses.replace(head, target=b"/no-such-bucket/x")
            return honest(head, body)

        app.seams.wire = only_hosts
        by_name = msgspec.structs.replace(
            endpoint, url=endpoint.url.replace("127.0.0.1", "localhost"), addressing="virtual"
        )
        addressing = found(by_name, tmp_path)["addressing"]
    assert "In the path a bucket is not found (404" in addressing.observation or "403" in addressing.observation
    assert "path" not in addressing.working


def refusing(app, *operations: str, code: str = "AccessDenied") -> None:
    """Let the server refuse these operations."""
    from reference_server.errors import S3Error

    honest = app.seams.operation

    def refuse(call):
        if call.operation in operations:
            raise S3Error(code)
        return honest(call)

    app.seams.operation = refuse


def test_buckets_cannot_be_made(tmp_path: Path) -> None:
    """That is found; all that needs a bucket says so."""
    with serving() as (app, endpoint):
        refusing(app, "CreateBucket")
        findings = found(endpoint, tmp_path)
    assert findings["no_check_bucket"].value == "true"
    known = {name for name, one in findings.items() if one.value != UNKNOWN}
    assert known == {"no_check_bucket", "disable_http2", "concurrency"}
    assert "name one with --bucket" in findings["list_version"].observation


def test_deletes_are_refused(tmp_path: Path) -> None:
    """Nothing of it shows in the findings but DeleteObjects; what stays is for the cleanup to tell."""
    with serving() as (app, endpoint):
        refusing(app, "DeleteObject", "DeleteObjects", "DeleteBucket", "AbortMultipartUpload")
        findings = found(endpoint, tmp_path, leaves=True)
    different = {name: one.value for name, one in findings.items() if one.value != standard(name)}
    assert different == {"delete_objects": NOTHING}


def test_head_is_refused(tmp_path: Path) -> None:
    """A client can do without; the upload in parts cannot be looked at."""
    with serving() as (app, endpoint):
        refusing(app, "HeadObject")
        findings = found(endpoint, tmp_path)
    assert {findings[name].value for name in ("no_head", "no_head_object")} == {"true"}
    assert findings["etag_is_not_md5"].value == "false"


def test_first_parts_are_too_small(tmp_path: Path) -> None:
    """As at Storj: larger ones are advised, and the upload is given up."""
    with serving() as (app, endpoint):
        refusing(app, "CompleteMultipartUpload", code="EntityTooSmall")
        findings = found(endpoint, tmp_path)
    assert (findings["min_chunk_size"].value, findings["min_chunk_size"].working) == ("64Mi", ("64Mi",))
    assert findings["use_multipart_uploads"].value == "true"
    assert findings["use_multipart_etag"].value == UNKNOWN


def test_unsigned_payload_is_refused(tmp_path: Path) -> None:
    """Clients then have to sign the body."""
    from reference_server.errors import S3Error

    with serving() as (app, endpoint):
        honest = app.seams.auth

        def signed_only(request):
            if request.headers.get("x-amz-content-sha256") == "UNSIGNED-PAYLOAD":
                raise S3Error("InvalidRequest")
            return honest(request)

        app.seams.auth = signed_only
        findings = found(endpoint, tmp_path)
    assert findings["use_unsigned_payload"].value == "false"
    assert (findings["payload_signing"].value, findings["payload_signing"].working) == ("true", ("true",))


def standard(name: str) -> str:
    return next(knob.standard for knob in KNOBS if knob.name == name)


def nonsense(request: Handler) -> None:
    """Success, and nothing that means anything."""
    request.say(200, b"<x><IsTruncated>true</IsTruncated><MaxKeys>-1</MaxKeys></x>", ETag='"\xff"')


def echo(request: Handler) -> None:
    """Whatever was sent comes back, as an error full of control characters and of the credentials."""
    name = request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
    code = f"{name}&#10;endpoint = evil&#13;\u202e\u2028"
    request.say(403, f"<Error><Code>{code}</Code><Message>{request.headers}</Message></Error>".encode())


def hang_up(request: Handler) -> None:
    """The connection is closed without an answer."""
    request.close_connection = True


def no_number(request: Handler) -> None:
    """A length that is no number."""
    request.send_response(200)
    request.send_header("Content-Length", "-5")
    request.end_headers()
    request.close_connection = True


def remembers() -> Callable[[Handler], None]:
    """Stores and reads, and answers all else by nonsense."""
    stored: dict[str, bytes] = {}
    numbers = itertools.count()

    def answer(request: Handler) -> None:
        path, _, query = request.path.partition("?")
        if request.command == "PUT" and not query:
            stored[path] = request.body
            request.say(200)
        elif request.command in ("GET", "HEAD") and path in stored and not query:
            request.say(200, stored[path])
        else:
            page = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{next(numbers)}</NextContinuationToken>"
            names = (
                "<Contents/><CommonPrefixes/><UploadId>u</UploadId><Name/><Versions>1</Versions><Version>x</Version>"
            )
            request.say(200, f"<Other>{page}{names}</Other>".encode())

    return answer


HOSTILE = {"nonsense": nonsense, "echo": echo, "hang_up": hang_up, "no_number": no_number, "remembers": remembers()}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_end_in_findings(answer: Callable[[Handler], None], tmp_path: Path) -> None:
    """Every knob has its finding, in one line of what can be seen, without credentials; and quickly."""
    started = time.monotonic()
    with stub(answer) as url:
        endpoint = Endpoint(url, Credentials("AKIAHOSTILE000", "hostile-secret-00"), timeout=2)
        with sandboxed(endpoint, tmp_path, leaves=None) as sandbox:
            advice = probe(endpoint, sandbox, seconds=20)
    assert time.monotonic() - started < 60
    texts = [*(one.observation for one in advice.settings), *(one.value for one in advice.settings)]
    assert all(text.isprintable() and len(text) < 1000 for text in texts)
    everything = "".join([*texts, *advice.texts.values()])
    assert "AKIAHOSTILE000" not in everything
    said = [line for line in everything.splitlines() if "evil" in line]
    assert all(line.lstrip().startswith(("#", "//", "Not known", "CreateBucket")) for line in said), said
    assert any(one.value in (UNKNOWN, NOTHING) for one in advice.settings)


def test_the_time_is_bounded(tmp_path: Path) -> None:
    """When it is over, no further request is sent; what was found by then is told."""
    with serving() as (_, endpoint), sandboxed(endpoint, tmp_path) as sandbox:
        findings = survey(endpoint, sandbox, seconds=0)
    known = {one.knob for one in findings if one.value != UNKNOWN}
    assert known == {"disable_http2", "concurrency"}
    assert all("no time left" in one.observation for one in findings if one.knob not in known)


def test_exchanges_are_kept_without_signatures(tmp_path: Path) -> None:
    """What a finding rests on can be looked at, and holds no secret."""
    with serving() as (_, endpoint):
        findings = found(endpoint, tmp_path)
    for name in ("list_version", "use_multipart_etag", "signature_version", "request_checksum_calculation"):
        assert findings[name].exchanges
    everything = msgspec.json.encode([one.exchanges for one in findings.values()]).decode()
    assert not re.search(r"Signature=[0-9a-f]{8}", everything)
    assert KEYS.secret_key not in everything
    assert KEYS.access_key not in everything


def test_about_a_hundred_requests(tmp_path: Path) -> None:
    """Seconds on any network: nobody waits for more of them unnoticed."""
    with serving() as (app, endpoint), sandboxed(endpoint, tmp_path) as sandbox:
        honest, count = app.seams.wire, itertools.count()

        def counting(head, body):
            next(count)
            return honest(head, body)

        app.seams.wire = counting
        survey(endpoint, sandbox)
        assert next(count) < 130
