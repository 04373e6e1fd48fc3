"""s3cmd commands that delete: `del`, `del --recursive`, `sync --delete-removed`.

A single key goes by DeleteObject; several go by DeleteObjects, whose answer s3cmd does not read: it prints
"delete: …" and ends with exit code 0 also where every key was refused. Source: s3cmd 2.4.0, measured.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.clients.base import Observed
from harness.expect import ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._batch_deletes import Answers, answered, told, truthful
from scenarios.workflows._refusals import OBJECTS, judge
from scenarios.workflows._steps import exits, files, holds, place, refusing, requests, stored

EXIT_CODES = {400: 11, 403: 77, 404: 12, 405: 11, 409: 13, 412: 14, 429: 15, 500: 70, 501: 11, 503: 15}
"""What s3cmd ends with after a refusal of this status; 70 after any other."""


def judged(s3: Scene, run: Observed, answers: Answers, objects: Mapping[str, bytes], bucket: str = "") -> None:
    """Each key is what its answer says, whatever s3cmd says; a request that was refused as a whole is told."""
    truthful(s3, answers, objects, bucket)
    if answers.whole:
        statuses = [sent.status or 0 for sent in requests(s3, run, "DeleteObjects")]
        told(s3, run, answers, *(EXIT_CODES.get(status, 70) for status in statuses))
    else:
        s3.expect(run, exits(0))


@scenario(
    "S3CMD-015",
    SHOULD,
    "DeleteObject",
    source="s3cmd documentation, del; exit codes measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def delete_one(s3: Scene) -> None:
    """`s3cmd del` removes an object; or it ends with exit code 77 after 403, says why, and the object is whole.

    S3 promises: 204 means that the key cannot be read any more; a refusal that all its bytes are there.

    Breaks: backups. A tool that is told "deleted" frees its index; one that is told "refused" must find the bytes.

    Fix: 204 only for what is gone; 403 AccessDenied with a reason for what stays.
    """
    objects = {s3.key("object"): b"still here, or gone"}
    stored(s3, {"object": b"still here, or gone"})
    run = s3.program("del", place(s3, "object"))
    statuses = [sent.status or 0 for sent in requests(s3, run, "DeleteObject")]
    judge(s3, run, objects, EXIT_CODES.get(statuses[-1], 70) if statuses else 77)


@scenario(
    "S3CMD-016",
    SHOULD,
    "ListObjects",
    "DeleteObjects",
    source="s3cmd documentation, del --recursive; exit codes measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def delete_recursive(s3: Scene) -> None:
    """`s3cmd del --recursive` removes every object below a prefix, or the store refuses and keeps every object whole.

    S3 promises: DeleteObjects tells for every key whether it is gone.

    Breaks: whoever empties a folder: s3cmd has only DeleteObjects for that.

    Fix: offer DeleteObjects to whoever may use DeleteObject. A store that never deletes should refuse the whole
    request with 403: of an Error in a 200 the users of s3cmd learn nothing.
    """
    stored(s3, OBJECTS)
    objects = {s3.key(name): content for name, content in OBJECTS.items()}
    run = s3.program("del", "--recursive", place(s3))
    judged(s3, run, answered(s3, run, objects, "ListObjects", Prefix=s3.prefix), objects)


@scenario(
    "S3CMD-010",
    SHOULD,
    "ListObjects",
    "DeleteObjects",
    source="s3cmd documentation, sync --delete-removed; exit codes measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def sync_delete_removed(s3: Scene) -> None:
    """`s3cmd sync --delete-removed` removes what the folder lacks, or the store refuses and keeps all of it whole.

    S3 promises: a listing names every object, and DeleteObjects answers for every key of its document.

    Breaks: mirrors: s3cmd deletes before it uploads, and gives up if that is refused.

    Fix: offer DeleteObjects; an Error with Code and Message for each key that stays.
    """
    stored(s3, OBJECTS)
    folder = files(s3, {"one.txt": OBJECTS["one.txt"]})
    run = s3.program("sync", "--delete-removed", f"{folder}/", place(s3))
    removed = {s3.key(name): content for name, content in OBJECTS.items() if name != "one.txt"}
    answers = answered(s3, run, removed, "ListObjects", Prefix=s3.prefix)
    kept = {name: content for name, content in OBJECTS.items() if s3.key(name) in answers.kept}
    holds(s3, {"one.txt": OBJECTS["one.txt"]} | kept)
    judged(s3, run, answers, removed)


@scenario(
    "S3CMD-021",
    EXTENDED,
    "DeleteObjects",
    source="s3cmd 2.4.0, whose exit code 0 after refused keys was measured",
    clients=("s3cmd",),
)
def delete_with_errors(s3: Scene) -> None:
    """Keys that `s3cmd del --recursive` may not delete are Errors in the answer and whole, though it says "delete:".

    S3 promises: DeleteObjects is 200 as a whole; each key that was refused has an Error entry with its code.

    Breaks: users of s3cmd, who are told that all went well: what was deleted can only be seen by looking again.

    Fix: authorise every key by itself, and name those that were refused, for all clients that read the answer.
    """
    objects = {"x-1": b"first", "x-2": b"second"}
    with refusing(s3, "DeleteObject", objects) as bucket:
        run = s3.program("del", "--recursive", "--force", f"s3://{bucket}")
        answers = answered(s3, run, objects, "ListObjects", Bucket=bucket)
        judged(s3, run, answers, objects, bucket)
        s3.check(set(answers.kept) == set(objects), "both keys refused", f"refused were {answers.kept}", run)
    for key in objects:
        s3.expect(s3.look("HeadObject", Bucket=bucket, Key=key), ok())
