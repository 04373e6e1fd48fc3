"""POST: files uploaded by browser forms, and what the answer says."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from harness.clients.raw import Signing
from harness.expect import body, etag, header_where, metadata, no_body, ok, refused, root
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._forms import CONTENT, FILE, KIND, STORED, element, post, signed
from scenarios.etag import md5_etag

_ETAG = md5_etag(CONTENT)
_OBJECTS = "LocalStack test_post_object_with_files, test_post_object_with_metadata (recorded on AWS)"


@scenario("POST-001", SHOULD, "PostObject", source=_OBJECTS, clients=("raw",))
def form_upload(s3: Scene) -> None:
    """A signed form stores its file and is answered 204 without a body, with ETag and Location.

    S3 promises: a POST of multipart/form-data to the bucket, with a policy and its signature among the fields, stores
    the last part. Location is the URL of the object.

    Breaks: uploads from web pages, by forms of createPresignedPost (JavaScript) or generate_presigned_post (boto3),
    the only way to bound the size of what users upload.

    Fix: route POST of a bucket with multipart/form-data to the form; read the fields, check policy and signature, then
    stream the file as PutObject would.
    """
    answer = post(s3, signed(s3, {"key": s3.key()}))
    at = header_where("Location", "the URL of the object", lambda url: unquote(urlsplit(url).path).endswith(s3.key()))
    s3.expect(answer, ok(204), no_body(), etag(_ETAG), at)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT), etag(_ETAG))


@scenario(
    "POST-002",
    SHOULD,
    "PostObject",
    source="LocalStack test_s3_presigned_post_success_action_status_201_response (recorded on AWS)",
    clients=("raw",),
)
def form_answered_201(s3: Scene) -> None:
    """With success_action_status 201 the answer is 201 and a PostResponse with Location, Bucket, Key and ETag.

    S3 promises: the field chooses between 200, 201 and 204. Only 201 has a document, which tells a script in the page
    where its file went.

    Breaks: upload widgets (Dropzone, Fine Uploader, Rails and Django direct uploads) that read the key from the XML;
    without it they report a failed upload, though the object is there.

    Fix: honour the field and write the document; take any other value as 204.
    """
    fields = {"key": s3.key(), "success_action_status": "201"}
    answer = post(s3, signed(s3, fields))
    s3.expect(answer, ok(201), root("PostResponse"), element("Location", "the URL of the object"))
    for name, value in (("Bucket", s3.bucket), ("Key", s3.key()), ("ETag", _ETAG)):
        s3.expect(answer, element(name, value, value))
    s3.expect(post(s3, signed(s3, fields | {"success_action_status": "200"})), ok(), no_body())
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))


@scenario(
    "POST-003",
    SHOULD,
    "PostObject",
    source="LocalStack test_s3_presigned_post_success_action_redirect (recorded on AWS)",
    clients=("raw",),
)
def form_redirects(s3: Scene) -> None:
    """success_action_redirect answers 303 to that URL with bucket, key and etag in its query; no URL, no redirect.

    S3 promises: after a plain form without scripts the browser lands on the page that the application names. A value
    that is no URL is passed over, and the answer is 204.

    Breaks: classic upload pages, whose next page learns from the query what was stored; without the redirect users look
    at an empty page.

    Fix: append the three parameters, percent-encoded, behind what query the URL has.
    """
    url = "http://host.test/done?from=form"
    answer = post(s3, signed(s3, {"key": s3.key(), "success_action_redirect": url}))
    found = parse_qs(urlsplit((answer.headers or {}).get("location", "")).query)
    led = header_where("Location", "the URL of the field", lambda text: text.startswith("http://host.test/done?"))
    s3.expect(answer, refused(303), led)
    wanted = {"from": ["form"], "bucket": [s3.bucket], "key": [s3.key()], "etag": [_ETAG]}
    s3.check(found == wanted, f"Location: the query {wanted}", f"Location has the query {found}", answer)
    plain = post(s3, signed(s3, {"key": s3.key("plain"), "success_action_redirect": "not a URL"}))
    s3.expect(plain, ok(204))
    s3.expect(s3.look("GetObject", Key=s3.key("plain")), ok(), body(CONTENT))


@scenario(
    "POST-004",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_object_with_files, test_post_object_with_file_as_string (recorded on AWS)",
    clients=("raw",),
)
def form_named_by_its_file(s3: Scene) -> None:
    """The variable ${filename} in the key of a form is replaced by the name of the uploaded file.

    S3 promises: a page can offer one form for whatever file its user chooses: the policy fixes a beginning of the key,
    and the browser's name of the file ends it.

    Breaks: every upload of a page overwrites the one before, under a key that ends in a literal dollar sign.

    Fix: replace the variable by the last segment of the part's filename before the policy is checked and the object
    stored.
    """
    key = s3.key("inbox/")
    form = signed(s3, {"key": f"{key}${{filename}}"}, only=[["starts-with", "$key", key]])
    s3.expect(post(s3, form), STORED)
    s3.expect(s3.look("GetObject", Key=key + FILE), ok(), body(CONTENT))
    s3.expect(s3.look("GetObject", Key=f"{key}${{filename}}"), refused(404))


@scenario(
    "POST-012",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_object_with_wrong_content_type (recorded on AWS)",
    clients=("raw",),
)
def form_of_another_type(s3: Scene) -> None:
    """A form whose Content-Type is not multipart/form-data is refused with 412 PreconditionFailed.

    S3 promises: a file can only come as multipart/form-data; that is the one precondition of the operation. Nothing is
    stored.

    Breaks: pages whose form lacks enctype="multipart/form-data": the browser then sends names and no contents, which
    should fail at once.

    Fix: check the type before reading the body, and answer 412.
    """
    form = signed(s3, {"key": s3.key()})
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        s3.expect(post(s3, form, kind=("Content-Type", kind)), refused(412, "PreconditionFailed"))
    s3.expect(s3.look("GetObject", Key=s3.key()), refused(404))
    s3.expect(post(s3, form, kind=KIND), STORED)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))


@scenario(
    "POST-013",
    EXTENDED,
    "PostObject",
    source="LocalStack test_post_object_with_tags (recorded on AWS)",
    clients=("raw",),
)
def form_with_tags(s3: Scene) -> None:
    """The tagging field of a form takes a Tagging document; text that is not XML is refused with 400 MalformedXML.

    S3 promises: other than in the header x-amz-tagging, tags of a form are written as XML, and become tags of the
    object.

    Breaks: applications that find or expire uploads by tag: without them, lifecycle rules pass the objects over.

    Fix: parse the field like the body of PutObjectTagging, before the object is stored.
    """
    document = "<Tagging><TagSet><Tag><Key>from</Key><Value>a form</Value></Tag></TagSet></Tagging>"
    s3.expect(post(s3, signed(s3, {"key": s3.key(), "tagging": document})), STORED)
    found = s3.look("GetObjectTagging", Key=s3.key())
    tags, wanted = found.output.get("TagSet", []), [{"Key": "from", "Value": "a form"}]
    s3.check(tags == wanted, f"GetObjectTagging: {wanted}", f"GetObjectTagging shows {tags}", found)
    _refuses(s3, {"tagging": "not a document"}, "MalformedXML")


def _refuses(s3: Scene, fields: dict[str, str], code: str) -> None:
    """A signed form with these fields is refused with status 400 and this code, and nothing is stored."""
    s3.expect(post(s3, signed(s3, {"key": s3.key("new"), **fields})), refused(400, code))
    s3.expect(s3.look("GetObject", Key=s3.key("new")), refused(404))


@scenario(
    "POST-014",
    EXTENDED,
    "PostObject",
    source="LocalStack test_post_object_with_metadata (recorded on AWS)",
    clients=("raw",),
)
def form_with_metadata(s3: Scene) -> None:
    """x-amz-meta-* fields of a form become user metadata of the object.

    S3 promises: they count like headers of PutObject.

    Breaks: applications that note in the form who uploads, and read it back with HEAD.

    Fix: read the fields as headers of the same name, whatever the case of their names.
    """
    fields = {"key": s3.key(), "x-amz-meta-Uploader": "somebody", "x-amz-meta-page": "two words"}
    s3.expect(post(s3, signed(s3, fields)), STORED)
    found = s3.look("HeadObject", Key=s3.key())
    s3.expect(found, ok(), metadata({"uploader": "somebody", "page": "two words"}))


@scenario(
    "POST-015",
    EXTENDED,
    "PostObject",
    source="LocalStack test_post_object_with_storage_class (recorded on AWS)",
    clients=("raw",),
)
def form_of_no_storage_class(s3: Scene) -> None:
    """An x-amz-storage-class field with a class that does not exist is refused with 400 InvalidStorageClass.

    S3 promises: the field is held to S3's storage classes as the header of PutObject is. STANDARD always exists.

    Breaks: strict validation; a mistyped class that is accepted stores objects at another price than was meant.

    Fix: validate the field with the code that validates the header.
    """
    s3.expect(post(s3, signed(s3, {"key": s3.key(), "x-amz-storage-class": "STANDARD"})), STORED)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))
    _refuses(s3, {"x-amz-storage-class": "NO_SUCH_CLASS"}, "InvalidStorageClass")


@scenario(
    "POST-016",
    SHOULD,
    "PostObject",
    source="LocalStack test_presigned_post_with_different_user_credentials (recorded on AWS)",
    clients=("raw",),
)
def form_of_a_role(s3: Scene) -> None:
    """A form signed with temporary credentials, its token in the field x-amz-security-token, is accepted with 204.

    S3 promises: the token is a field of the form and a condition of its policy. Without it, the temporary key is worth
    nothing.

    Breaks: servers in containers and functions, which have temporary credentials only: every form they make has the
    field.

    Fix: read the token from the fields before the signature of the policy is checked.
    """
    role = Signing(credentials=s3.temporary)  # before anything is stored: many runs have none
    s3.expect(post(s3, signed(s3, {"key": s3.key()})), STORED)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))
    form = signed(s3, {"key": s3.key("by role")}, signing=role)
    bare = {name: value for name, value in form.items() if name != "x-amz-security-token"}
    s3.expect(post(s3, bare), refused(403))
    s3.expect(post(s3, form), ok(204))
    s3.expect(s3.look("GetObject", Key=s3.key("by role")), ok(), body(CONTENT))
