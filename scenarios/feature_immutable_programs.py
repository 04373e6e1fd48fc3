"""IMM with whole commands: what users are told who delete, move or mirror on a store that keeps everything."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import body, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._features import AUTO_DRIVE
from scenarios.workflows._refusals import OBJECTS, named, stored
from scenarios.workflows._steps import files, place

_RCLONE = "autonomys/developer_docs at 134b200e, pages/auto_drive/rclone.mdx, command table"
_ANY = f"{AUTO_DRIVE}, Overview and Immutability"
_SENTENCE = "immutable"
"""A word of the gateway's own explanation."""


def refused_and_kept(s3: Scene, run: Observed) -> None:
    """A command failed because a write of it was refused, told why, and all objects are as they were."""
    for name, content in OBJECTS.items():
        s3.expect(s3.look("GetObject", Key=s3.key(name)), ok(), body(content))
    s3.check(bool(run.exit_code), f"{run.operation}: an exit code that is not 0", f"got {run.summary()}", run)
    refusals = [sent for sent in run.exchanges if sent.method not in ("GET", "HEAD") and (sent.status or 0) >= 400]
    said = run.stdout + run.stderr
    told = [sent for sent in refusals if named(sent, said)]
    wanted = f"{run.operation}: a write that is refused, and output that names the reason"
    s3.check(bool(told), wanted, f"{len(refusals)} writes were refused; it said {said.strip()[-300:]!r}", run)
    how = "with" if _SENTENCE in said else "without"
    s3.note(f"{run.operation}: exit code {run.exit_code} after {told[0].status}, {how} the explanation")


@scenario("IMM-010", MUST, "DeleteObject", source=_RCLONE, clients=("rclone",), feature="immutable")
def rclone_cannot_delete(s3: Scene) -> None:
    """`rclone delete`, `deletefile` and `purge` fail, say that the store refused, and every object stays.

    The gateway promises: these commands are refused with 403, and nothing is removed.

    Breaks: scheduled expiry and clean-up, whose operators must learn that nothing was removed.

    Fix: answer every DeleteObject with 403 AccessDenied and the sentence that explains it.
    """
    stored(s3)
    folder = f"remote:{s3.bucket}/{s3.prefix}"
    for command, target in (("delete", folder), ("deletefile", f"{folder}one.txt"), ("purge", folder)):
        refused_and_kept(s3, s3.program(command, target))


@scenario("IMM-011", MUST, "CopyObject", "DeleteObject", source=_RCLONE, clients=("rclone",), feature="immutable")
def rclone_cannot_move(s3: Scene) -> None:
    """`rclone moveto` on the store, and `rclone sync` that has to delete, fail, say why, and every object stays.

    The gateway promises: a move on the server fails, and sync uploads what is new and fails where it would delete.

    Breaks: mirrors and renames; a move that copies and says nothing leaves two objects where its user thinks of one.

    Fix: refuse the copy or the deletion, whichever comes first.
    """
    stored(s3)
    folder, flag = f"remote:{s3.bucket}/{s3.prefix}", "--s3-no-check-bucket"
    refused_and_kept(s3, s3.program("moveto", f"{folder}one.txt", f"{folder}moved.txt", flag))
    local = files(s3, {"new.txt": b"new here"})
    refused_and_kept(s3, s3.program("sync", str(local), folder, "--delete-before", flag))


@scenario("IMM-012", MUST, "DeleteObject", source=_ANY, clients=("awscli",), feature="immutable")
def awscli_cannot_delete(s3: Scene) -> None:
    """`aws s3 rm`, with --recursive and without, `mv` and `sync --delete` fail, say why, and every object stays.

    The gateway promises: no client can delete. A move from the store downloads, and then cannot delete.

    Breaks: scripts that go on when exit codes are not looked at; what is told is all that their users see.

    Fix: answer every DeleteObject with 403 AccessDenied and the sentence that explains it.
    """
    stored(s3)
    one, folder, local = place(s3, "one.txt"), place(s3), str(files(s3, {"new.txt": b"new here"}))
    for command in (
        ("rm", one),
        ("rm", "--recursive", folder),
        ("mv", one, local),
        ("sync", "--delete", local, folder),
    ):
        refused_and_kept(s3, s3.program("s3", *command))


@scenario("IMM-013", SHOULD, "DeleteObject", "DeleteObjects", source=_ANY, clients=("s5cmd",), feature="immutable")
def s5cmd_cannot_delete(s3: Scene) -> None:
    """`s5cmd rm` of one key and of a wildcard fail, say that the store refused, and every object stays.

    The gateway promises: no client can delete, one key at a time or in batches.

    Breaks: clean-up of whole folders, for which s5cmd sends batches alone.

    Fix: refuse DeleteObjects as a whole, never with 200.
    """
    stored(s3)
    for target in ("one.txt", "*"):
        refused_and_kept(s3, s3.program("rm", place(s3, target)))


@scenario("IMM-014", SHOULD, "DeleteObject", source=_ANY, clients=("s3cmd",), feature="immutable")
def s3cmd_cannot_delete(s3: Scene) -> None:
    """`s3cmd del` of one object fails, says that the store refused, and every object stays.

    The gateway promises: no client can delete.

    Breaks: backups, whose index is freed when an object is reported as deleted.

    Fix: answer every DeleteObject with 403 AccessDenied and the sentence that explains it.
    """
    stored(s3)
    refused_and_kept(s3, s3.program("del", place(s3, "one.txt")))
