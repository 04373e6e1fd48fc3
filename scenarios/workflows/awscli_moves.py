"""`aws s3 mv` and `aws s3 rm`: nothing is lost on the way, and a store that refuses deletes is heard.

After a refused delete the AWS CLI ends with exit code 1; `mv` then leaves both the source and its copy.
"""

from __future__ import annotations

import re

from harness.clients.base import Observed
from harness.expect import body, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._awscli import copy_source, done, holds, written
from scenarios.workflows._refusals import judge, one_object
from scenarios.workflows._steps import exits, found, prints, tells

BODY = b"a body"


def failed(s3: Scene, run: Observed, text: str) -> None:
    """A command that did not end with exit code 0 says what it could not do."""
    if run.exit_code != 0:
        s3.expect(run, tells(text))


@scenario(
    "AWSCLI-026",
    SHOULD,
    "CopyObject",
    "DeleteObject",
    source="AWS CLI reference, s3 mv; exit codes measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def mv_across(s3: Scene) -> None:
    """`aws s3 mv s3://… s3://…` leaves one object under the new key, or ends with exit code 1 and keeps both.

    S3 promises: CopyObject answers 200 when the copy is there; the delete that follows is answered for itself.

    Breaks: renames: a copy that stored nothing and a delete that worked lose the object.

    Fix: answer CopyObject with a CopyObjectResult once the copy can be read; refuse deletes with 403 and a reason.
    """
    source, target = s3.key("from + é"), s3.key("to")
    s3.put(source, BODY)
    run = s3.program("s3", "mv", f"s3://{s3.bucket}/{source}", f"s3://{s3.bucket}/{target}")
    copy = s3.look("GetObject", Key=target)
    if not copy.ok:
        done(s3, run, "CopyObject", Key=target, CopySource=copy_source(s3, source))
    s3.expect(copy, ok(), body(BODY))
    failed(s3, run, "move failed: ")
    judge(s3, run, {source: BODY})


@scenario(
    "AWSCLI-044",
    SHOULD,
    "PutObject",
    source="AWS CLI reference, s3 mv; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def mv_up(s3: Scene) -> None:
    """`aws s3 mv FILE s3://…` stores the file and removes it here only then.

    S3 promises: PutObject answers 200 when the object is stored.

    Breaks: log shippers: a file that was answered 200 and not stored exists nowhere any more.

    Fix: answer PutObject after the object can be read.
    """
    folder = written(s3.folder, {"log": BODY})
    run = s3.program("s3", "mv", str(folder / "log"), f"s3://{s3.bucket}/{s3.prefix}", "--no-progress")
    done(s3, run, "PutObject", Key=s3.key("log"), Body=BODY)
    s3.expect(s3.look("GetObject", Key=s3.key("log")), ok(), body(BODY))
    s3.check(found(folder) == {}, "the file is gone", f"there is {list(found(folder))}", run)


@scenario(
    "AWSCLI-045",
    SHOULD,
    "GetObject",
    "DeleteObject",
    source="AWS CLI reference, s3 mv; exit codes measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def mv_down(s3: Scene) -> None:
    """`aws s3 mv s3://… FILE` fetches the object and deletes it there, or ends with exit code 1 and keeps both.

    S3 promises: GetObject gives the stored bytes; DeleteObject answers 204 when the object is gone.

    Breaks: queues of files; an object that stays without a word is fetched again for ever.

    Fix: refuse deletes with 403 AccessDenied and a reason.
    """
    s3.put(s3.key("job"), BODY)
    folder = s3.folder
    run = s3.program("s3", "mv", f"s3://{s3.bucket}/{s3.key('job')}", str(folder / "job"), "--no-progress")
    shown = found(folder)
    s3.check(shown == {"job": BODY}, f"a file of {len(BODY)} bytes {BODY!r}", f"there are {shown}", run)
    failed(s3, run, "move failed: ")
    judge(s3, run, {s3.key("job"): BODY})


@scenario(
    "AWSCLI-028",
    SHOULD,
    "DeleteObject",
    source="AWS CLI reference, s3 rm; exit codes measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def rm(s3: Scene) -> None:
    """`aws s3 rm` removes an object, or ends with exit code 1, says that and why the delete failed, and keeps it.

    S3 promises: DeleteObject answers 204 when the object is gone, 403 AccessDenied when it must stay.

    Breaks: whoever deletes for good, by law or to save: a delete that is answered 204 and not done is never repeated.

    Fix: 204 only for what is gone, 403 AccessDenied with a reason for what stays.
    """
    s3.put(s3.key("beside"), BODY)
    s3.put(s3.key("object"), BODY)
    run = s3.program("s3", "rm", f"s3://{s3.bucket}/{s3.key('object')}")
    failed(s3, run, f"delete failed: s3://{s3.bucket}/{s3.key('object')}")
    judge(s3, run, {s3.key("object"): BODY})
    s3.expect(s3.look("GetObject", Key=s3.key("beside")), one_object(BODY))


@scenario(
    "AWSCLI-046",
    SHOULD,
    "DeleteObject",
    source="Amazon S3 User Guide, making requests; exit codes measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def rm_by_a_stranger(s3: Scene) -> None:
    """`aws s3 rm --no-sign-request` of a private object is refused with 403, exit code 1, and the object stays.

    S3 promises: an anonymous request may do what a policy or ACL grants to everyone, which is nothing by default.

    Breaks: everybody whose bucket is reachable from outside.

    Fix: refuse requests without a signature with 403 AccessDenied unless the bucket is public.
    """
    s3.put(s3.key("private"), BODY)
    run = s3.program("s3", "rm", f"s3://{s3.bucket}/{s3.key('private')}", "--no-sign-request")
    s3.expect(s3.look("GetObject", Key=s3.key("private")), one_object(BODY))
    s3.expect(run, exits(1), tells("delete failed: "))
    refusal = re.search(r"\((AccessDenied|403)\) when calling the DeleteObject operation", run.stderr)
    s3.check(refusal is not None, "standard error says AccessDenied, or 403", f"it said {run.stderr!r}", run)


@scenario(
    "AWSCLI-047",
    SHOULD,
    "DeleteObject",
    source="Amazon S3 API reference, DeleteObject; measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def rm_of_a_missing_key(s3: Scene) -> None:
    """`aws s3 rm` of a key that does not exist ends with exit code 0 and touches no other object.

    S3 promises: DeleteObject of a key that is not there is 204, so that a repeated delete is no error.

    Breaks: scripts that clean up twice; and what `delete: …` with exit code 0 says is not that there was an object.

    Fix: answer 204; never take the key for a prefix.
    """
    s3.put(s3.key("object/below"), BODY)
    s3.put(s3.key("objects"), BODY)
    run = s3.program("s3", "rm", f"s3://{s3.bucket}/{s3.key('object')}")
    s3.expect(s3.look("HeadObject", Key=s3.key("object")), refused(404))
    holds(s3, {s3.key("object/below"): BODY, s3.key("objects"): BODY})
    if run.exit_code != 0:
        s3.expect(s3.look("DeleteObject", Key=s3.key("object")), ok(204))
    s3.expect(run, exits(0), prints(f"delete: s3://{s3.bucket}/{s3.key('object')}"))
