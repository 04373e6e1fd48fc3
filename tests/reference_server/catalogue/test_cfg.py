"""Bucket configurations and what is not offered: catalogue family CFG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from reference_server.ops.config import IDENTIFIED, SETTINGS
from tests.reference_server.catalogue.configurations import KINDS, ONES, Kind, One, placed
from tests.reference_server.catalogue.histories import put
from tests.reference_server.catalogue.steps import fields, md5_header, names, put_document, refusal, tree, version
from tests.reference_server.test_routing import OFFERED, OPERATIONS, request_for

if TYPE_CHECKING:
    from conftest import Raw


@pytest.fixture
def target(raw: Raw, bucket: str) -> str:
    """A second bucket with versions, for logs and replicas."""
    name = f"{bucket}-target"
    assert raw("PUT", f"/{name}").status == 200
    version(raw, name)
    return name


# Configurations with an id


kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


class Several:
    """The four operations on one kind of configuration, through boto3."""

    def __init__(self, s3: Any, bucket: str, kind: Kind) -> None:
        self._call = {
            verb: getattr(s3, xform_name(f"{verb}Bucket{kind.name}Configuration{'s' if verb == 'List' else ''}"))
            for verb in ("Get", "Put", "Delete", "List")
        }
        self._bucket = bucket
        self._name = kind.name

    def put(self, name: str, document: dict[str, Any]) -> int:
        """The status of a put."""
        body = {f"{self._name}Configuration": document}
        return _status(self._call["Put"](Bucket=self._bucket, Id=name, **body))

    def get(self, name: str) -> Any:
        """The document with this id."""
        return self._call["Get"](Bucket=self._bucket, Id=name)[f"{self._name}Configuration"]

    def delete(self, name: str) -> int:
        """The status of a delete."""
        return _status(self._call["Delete"](Bucket=self._bucket, Id=name))

    def listed(self, **more: Any) -> Any:
        """A page of the list."""
        return self._call["List"](Bucket=self._bucket, **more)

    def ids(self) -> list[str]:
        """The ids in the list, which is short enough for one page."""
        page = self.listed()
        assert page["IsTruncated"] is False
        return [one["Id"] for one in page.get(f"{self._name}ConfigurationList", [])]


def _status(answer: Any) -> int:
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """Status and Code of an error."""
    return _status(refused.value.response), refused.value.response["Error"]["Code"]


@pytest.mark.catalogue("CFG-001")
@kinds
def test_configurations_are_kept_by_their_ids(s3: Any, bucket: str, target: str, kind: Kind) -> None:
    """Each is what was put last under its id; the list has them by id, and only those that are there."""
    several = Several(s3, bucket, kind)
    assert several.ids() == []
    documents = {name: kind.of(target, Id=name) for name in ("z", "a", "m")}
    for name, document in documents.items():
        assert several.put(name, document) == kind.put_status
    assert several.ids() == ["a", "m", "z"]
    assert several.listed()[f"{kind.name}ConfigurationList"] == [documents[name] for name in ("a", "m", "z")]
    changed = kind.of(target, Id="m", Filter={"Prefix": "changed/"})
    assert several.put("m", changed) == kind.put_status
    assert [several.get(name) for name in ("a", "m")] == [documents["a"], changed]
    assert several.delete("m") == 204
    assert several.ids() == ["a", "z"]


@pytest.mark.catalogue("CFG-001")
@kinds
def test_a_configuration_that_is_not_there_is_not_found(s3: Any, bucket: str, target: str, kind: Kind) -> None:
    """Not to read and not to delete, also the second time."""
    several = Several(s3, bucket, kind)
    several.put("there", kind.of(target, Id="there"))
    for call in (several.get, several.delete):
        with pytest.raises(ClientError) as refused:
            call("never")
        assert code_of(refused) == (404, "NoSuchConfiguration")
    several.delete("there")
    with pytest.raises(ClientError) as refused:
        several.delete("there")
    assert code_of(refused) == (404, "NoSuchConfiguration")


@pytest.mark.catalogue("CFG-001")
@kinds
def test_configurations_are_listed_in_pages(raw: Raw, s3: Any, bucket: str, target: str, kind: Kind) -> None:
    """A hundred on one page; the token leads on, and one that was made up leads nowhere."""
    several = Several(s3, bucket, kind)
    expected = sorted(f"id-{number}" for number in range(103))
    for name in expected:
        several.put(name, kind.of(target, Id=name))
    first = several.listed()
    assert (first["IsTruncated"], "ContinuationToken" in first) == (True, False)
    second = several.listed(ContinuationToken=first["NextContinuationToken"])
    assert second["ContinuationToken"] == first["NextContinuationToken"]
    assert (second["IsTruncated"], "NextContinuationToken" in second) == (False, False)
    pages = [[one["Id"] for one in page[f"{kind.name}ConfigurationList"]] for page in (first, second)]
    assert pages == [expected[:100], expected[100:]]
    reply = raw("GET", f"/{bucket}?{kind.query}")
    assert tree(reply).tag == kind.listed
    assert refusal(raw("GET", f"/{bucket}?{kind.query}&continuation-token=made-up")) == (400, "InvalidArgument")


@pytest.mark.catalogue("CFG-002")
@kinds
def test_the_id_in_the_document_is_the_one_that_is_asked_for(s3: Any, bucket: str, target: str, kind: Kind) -> None:
    """Otherwise neither of the two is stored."""
    several = Several(s3, bucket, kind)
    with pytest.raises(ClientError) as refused:
        several.put("asked", kind.of(target, Id="other"))
    assert code_of(refused) == (400, "IdMismatch")
    assert several.ids() == []


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[2]], ids=["Analytics", "Inventory"])
def test_a_report_goes_to_a_bucket(s3: Any, bucket: str, kind: Kind) -> None:
    """Which is named by its ARN. Source: recorded for the inventory."""
    with pytest.raises(ClientError) as refused:
        Several(s3, bucket, kind).put("a", placed(kind.of("x", Id="a"), "x") | _elsewhere(kind))
    assert code_of(refused) == (400, "InvalidS3DestinationBucket")


def _elsewhere(kind: Kind) -> dict[str, Any]:
    destination = {"S3BucketDestination": {"Format": "CSV", "Bucket": "no-arn"}}
    if kind.name == "Inventory":
        return {"Destination": destination}
    return {"StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": destination}}}


# One of each kind


class Single:
    """The operations on one configuration, through boto3."""

    def __init__(self, s3: Any, bucket: str, one: One) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._one = one

    def put(self, document: dict[str, Any]) -> int:
        """The status of a put."""
        return _status(
            getattr(self._s3, xform_name(self._one.put))(Bucket=self._bucket, **{self._one.member: document})
        )

    def get(self) -> Any:
        """The document, or the code of the error."""
        try:
            answer = self._call(self._one.get)
        except ClientError as error:
            return error.response["Error"]["Code"] if _status(error.response) == 404 else error
        del answer["ResponseMetadata"]
        answer.pop("TransitionDefaultMinimumObjectSize", None)
        return answer[self._one.member] if self._one.wrapped else answer

    def delete(self) -> int:
        """The status of a delete."""
        return _status(self._call(self._one.delete))

    def _call(self, operation: str, **members: Any) -> Any:
        return getattr(self._s3, xform_name(operation))(Bucket=self._bucket, **members)


@pytest.mark.parametrize("one", ONES, ids=lambda one: one.put)
def test_a_configuration_comes_back_as_it_was_put(raw: Raw, s3: Any, bucket: str, target: str, one: One) -> None:
    """Every member of a full document, through boto3; before it is put, and after it is deleted, there is none."""
    if one.versioned:
        version(raw, bucket)
    single, document = Single(s3, bucket, one), placed(one.document, target)
    assert single.get() == one.unset
    for _ in range(2):
        assert single.put(document) == one.put_status
        assert single.get() == document
    if not one.delete:
        return
    for _ in range(2):
        assert single.delete() == 204
        gone = {"GetBucketOwnershipControls": "OwnershipControlsNotFoundError"}
        gone |= {"GetPublicAccessBlock": "NoSuchPublicAccessBlockConfiguration"}
        assert single.get() == gone.get(one.get, one.unset)
    assert raw("HEAD", f"/{bucket}").status == 200


def test_no_configuration_is_left_out() -> None:
    """What the server offers is what the tests above put and get."""
    tested = {name for one in ONES for name in (one.get, one.put, one.delete) if name}
    assert tested == {name for one in SETTINGS for name in (one.get, one.put, one.delete) if name}
    assert [kind.name for kind in KINDS] == [kind.kind for kind in IDENTIFIED]


# What each of them refuses


@pytest.mark.catalogue("CFG-003")
def test_a_bucket_replicates_nothing_until_told_to(raw: Raw, bucket: str) -> None:
    """The error names the bucket."""
    found = refusal(raw("GET", f"/{bucket}?replication"), "BucketName")
    assert found == (404, "ReplicationConfigurationNotFoundError", bucket)


def test_replication_needs_versions_on_both_ends(raw: Raw, s3: Any, bucket: str, target: str) -> None:
    """And a destination that exists; a rule without an id is given one. Source: recorded messages."""
    one = next(one for one in ONES if one.member == "ReplicationConfiguration")
    single = Single(s3, bucket, one)

    def refused(where: str) -> str:
        with pytest.raises(ClientError) as error:
            single.put(placed(one.document, where))
        assert code_of(error) == (400, "InvalidRequest")
        return str(error.value.response["Error"]["Message"])

    assert "Versioning must be 'Enabled'" in refused(target)
    version(raw, bucket)
    assert refused(f"{target}-not") == "Destination bucket must exist."
    version(raw, target, "Suspended")
    assert refused(target) == "Destination bucket must have versioning enabled."
    version(raw, target)
    rule = {key: value for key, value in one.document["Rules"][0].items() if key != "ID"}
    assert single.put(placed({**one.document, "Rules": [rule]}, target)) == 200
    assert single.get()["Rules"][0]["ID"]


@pytest.mark.catalogue("CFG-004")
def test_logs_go_to_a_bucket_that_exists(raw: Raw, s3: Any, bucket: str, target: str) -> None:
    """All buckets of this server are of one region, so that a target in another one is a target that does not exist."""
    single = Single(s3, bucket, next(one for one in ONES if one.get == "GetBucketLogging"))
    with pytest.raises(ClientError) as refused:
        single.put({"LoggingEnabled": {"TargetBucket": f"{target}-not", "TargetPrefix": ""}})
    assert code_of(refused) == (400, "InvalidTargetBucketForLogging")
    assert refused.value.response["Error"]["TargetBucket"] == f"{target}-not"
    assert single.get() == {}
    assert single.put({"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}}) == 200
    assert single.put({}) == 200
    assert single.get() == {}


@pytest.mark.catalogue("CFG-005")
@pytest.mark.parametrize("payer", ["requester", "Nobody", ""])
def test_the_owner_pays_unless_the_requester_does(raw: Raw, bucket: str, payer: str) -> None:
    """There are two words; any other changes nothing."""
    target = f"/{bucket}?requestPayment"
    reply = raw("GET", target)
    assert (reply.status, tree(reply).tag, fields(tree(reply))) == (
        *(200, "RequestPaymentConfiguration"),
        {"Payer": "BucketOwner"},
    )
    document = "<RequestPaymentConfiguration><Payer>{}</Payer></RequestPaymentConfiguration>"
    assert put_document(raw, target, document.format("Requester")).status == 200
    assert refusal(put_document(raw, target, document.format(payer))) == (400, "MalformedXML")
    assert refusal(put_document(raw, target, "<RequestPaymentConfiguration/>")) == (400, "MalformedXML")
    assert raw("GET", target).element("Payer") == "Requester"


@pytest.mark.catalogue("CFG-006")
@pytest.mark.parametrize("status", ["enabled", "Random", ""])
def test_acceleration_is_on_or_suspended(raw: Raw, bucket: str, status: str) -> None:
    """Until then the document is empty; other words change nothing."""
    target = f"/{bucket}?accelerate"
    reply = raw("GET", target)
    assert (reply.status, tree(reply).tag, names(tree(reply))) == (200, "AccelerateConfiguration", [])
    document = "<AccelerateConfiguration><Status>{}</Status></AccelerateConfiguration>"
    assert put_document(raw, target, document.format("Enabled")).status == 200
    assert refusal(put_document(raw, target, document.format(status))) == (400, "MalformedXML")
    assert refusal(put_document(raw, target, "<AccelerateConfiguration/>")) == (400, "MalformedXML")
    assert raw("GET", target).element("Status") == "Enabled"


def test_a_name_with_dots_cannot_be_accelerated(raw: Raw, bucket: str) -> None:
    """It would not fit the certificate. Source: recorded."""
    assert raw("PUT", f"/{bucket}.dots").status == 200
    document = "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>"
    assert refusal(put_document(raw, f"/{bucket}.dots?accelerate", document)) == (400, "InvalidRequest")


@pytest.mark.catalogue("CFG-007")
@pytest.mark.parametrize(
    ("kind", "element", "good", "name"),
    [
        ("Topic", "Topic", "arn:aws:sns:us-east-1:123456789012:t", "TopicArn"),
        ("Queue", "Queue", "arn:aws:sqs:us-east-1:123456789012:q", "QueueArn"),
        (
            *("CloudFunction", "CloudFunction", "arn:aws:lambda:us-east-1:123456789012:function:f"),
            "LambdaFunctionArn",
        ),
    ],
    ids=["topic", "queue", "function"],
)
def test_notices_go_to_an_arn(raw: Raw, bucket: str, kind: str, element: str, good: str, name: str) -> None:
    """One of the right service; the argument is named, and no notification is configured."""
    target = f"/{bucket}?notification"

    def document(arn: str) -> str:
        inside = f"<{element}>{arn}</{element}><Event>s3:ObjectCreated:*</Event>"
        configuration = f"<{kind}Configuration>{inside}</{kind}Configuration>"
        return f"<NotificationConfiguration>{configuration}</NotificationConfiguration>"

    for wrong in ("invalid", "", "arn:aws:s3:::bucket", good.replace("arn:", "nra:"), good.rpartition(":")[0][:20]):
        found = refusal(put_document(raw, target, document(wrong)), "ArgumentName", "ArgumentValue")
        assert found == (400, "InvalidArgument", name, wrong)
    assert names(tree(raw("GET", target))) == []
    assert put_document(raw, target, document(good)).status == 200
    assert raw("GET", target).element(element) == good
    assert raw("GET", target).element("Id") != ""


@pytest.mark.parametrize(("sent", "shown"), [("prefix", "Prefix"), ("SUFFIX", "Suffix"), ("infix", "")])
def test_names_of_filters_have_one_spelling(raw: Raw, bucket: str, sent: str, shown: str) -> None:
    """However they are sent; there are two of them. Source: recorded."""
    rule = f"<FilterRule><Name>{sent}</Name><Value>x</Value></FilterRule>"
    queue = "<Queue>arn:aws:sqs:us-east-1:123456789012:q</Queue><Event>s3:ObjectCreated:*</Event>"
    inside = f"{queue}<Filter><S3Key>{rule}</S3Key></Filter>"
    document = (
        f"<NotificationConfiguration><QueueConfiguration>{inside}</QueueConfiguration></NotificationConfiguration>"
    )
    found = put_document(raw, f"/{bucket}?notification", document)
    if shown:
        assert found.status == 200
        assert raw("GET", f"/{bucket}?notification").element("Name") == shown
    else:
        assert refusal(found, "ArgumentName", "ArgumentValue") == (400, "InvalidArgument", "FilterRule.Name", sent)


def test_what_is_not_asked_for_is_not_blocked(s3: Any, bucket: str) -> None:
    """All four switches of a public access block are shown, those that were left out as off. Source: recorded."""
    one = next(one for one in ONES if one.get == "GetPublicAccessBlock")
    single = Single(s3, bucket, one)
    assert single.put({"BlockPublicAcls": True}) == 200
    assert single.get() == {**dict.fromkeys(one.document, False), "BlockPublicAcls": True}


# RestoreObject


@pytest.mark.catalogue("CFG-008")
@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_can_be_restored(raw: Raw, bucket: str, storage_class: str) -> None:
    """It is accepted, and HEAD says until when the object can be read; asking again is 200."""
    path = f"/{bucket}/k"
    raw("PUT", path, b"data", {"x-amz-storage-class": storage_class})
    assert refusal(raw("GET", path)) == (403, "InvalidObjectState")
    assert "x-amz-restore" not in raw("HEAD", path).headers
    document = (
        "<RestoreRequest><Days>{}</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>"
    )
    body = document.format(2).encode()
    assert raw("POST", f"{path}?restore", body, md5_header(body)).status == 202
    head = raw("HEAD", path).headers
    assert re.fullmatch(
        r'ongoing-request="false", expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT"', head["x-amz-restore"]
    )
    assert head["x-amz-storage-class"] == storage_class
    assert raw("GET", path).body == b"data"
    assert raw("POST", f"{path}?restore", body, md5_header(body)).status == 200


@pytest.mark.catalogue("CFG-008")
def test_only_archived_objects_can_be_restored(raw: Raw, bucket: str) -> None:
    """What can be read anyway is in the wrong state for it; what is not there is not found."""
    put(raw, f"/{bucket}/k")
    body = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
    assert refusal(raw("POST", f"/{bucket}/k?restore", body, md5_header(body))) == (403, "InvalidObjectState")
    assert refusal(raw("POST", f"/{bucket}/never?restore", body, md5_header(body))) == (404, "NoSuchKey")
    assert "x-amz-restore" not in raw("HEAD", f"/{bucket}/k").headers


@pytest.mark.catalogue("CFG-008")
def test_each_version_is_restored_for_itself(raw: Raw, bucket: str) -> None:
    """The version that is named, and no other."""
    version(raw, bucket)
    path, archived = f"/{bucket}/k", {"x-amz-storage-class": "GLACIER"}
    old, new = (raw("PUT", path, body, archived).headers["x-amz-version-id"] for body in (b"old", b"new"))
    body = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
    assert raw("POST", f"{path}?restore&versionId={old}", body, md5_header(body)).status == 202
    assert raw("GET", f"{path}?versionId={old}").body == b"old"
    assert refusal(raw("GET", f"{path}?versionId={new}")) == (403, "InvalidObjectState")


# What is not offered


@pytest.mark.catalogue("CFG-009")
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OFFERED))
def test_what_is_not_offered_says_so_and_acts_on_nothing(raw: Raw, bucket: str, name: str) -> None:
    """501 with XML, and not what the request would do without its sub-resource: buckets and versions stay."""
    version(raw, bucket)
    put(raw, f"/{bucket}/key", b"kept")
    method, path, headers = request_for(name)
    before = raw("GET", f"/{bucket}?versions").body
    body = b"<x/>" if method in ("PUT", "POST") else b""
    reply = raw(method, path.replace("BUCKET", bucket), body, {**headers, **md5_header(body)})
    assert refusal(reply) == (501, "NotImplemented")
    assert (reply.headers["content-type"], tree(reply).tag) == ("application/xml", "Error")
    assert raw("GET", f"/{bucket}?versions").body == before
    assert raw("GET", f"/{bucket}/key").body == b"kept"
