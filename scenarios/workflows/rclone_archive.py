"""rclone on objects that are archived: what class they have, and how they are made readable again."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import ok, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import document, remote
from scenarios.workflows._steps import holds, stored


def reported(s3: Scene, run: Observed) -> list[dict[str, Any]]:
    """What a backend command tells of each object."""
    shown = document(s3, run)
    return [each for each in shown if isinstance(each, dict)] if isinstance(shown, list) else []


@scenario(
    "RCLONE-056",
    EXTENDED,
    "ListObjects",
    source="rclone documentation, S3 backend command restore-status; measured with rclone 1.75.2",
    clients=("rclone",),
)
def restore_status(s3: Scene) -> None:
    """`rclone backend restore-status -o all` names every object, its storage class, and no restore that never was.

    S3 promises: a listing gives the StorageClass of each object, also when it is asked for
    x-amz-optional-object-attributes: RestoreStatus.

    Breaks: scripts that fetch archives back; a refused or unknown header ends them at the first step.

    Fix: list StorageClass, and pass over optional attributes that you do not have.
    """
    contents = {"one.bin": b"1", "folder/two.bin": b"22"}
    stored(s3, contents)
    run = s3.program("backend", "restore-status", remote(s3), "-o", "all")
    shown = [(each.get("Remote"), each.get("StorageClass"), each.get("RestoreStatus")) for each in reported(s3, run)]
    expected = sorted((name, "STANDARD", None) for name in contents)
    s3.check(sorted(shown, key=str) == expected, f"objects, classes and states {expected}", f"they were {shown}", run)
    holds(s3, contents)


@scenario(
    "RCLONE-114",
    EXTENDED,
    "RestoreObject",
    "HeadObject",
    source="rclone documentation, S3 backend command restore; Amazon S3, RestoreObject; measured with rclone 1.75.2",
    clients=("rclone",),
)
def restore(s3: Scene) -> None:
    """`rclone backend restore` begins to restore what is archived, and nothing else.

    S3 promises: an object of class GLACIER is refused with 403 InvalidObjectState until it was restored; RestoreObject
    is accepted, and HeadObject shows x-amz-restore from then on.

    Breaks: fetching archives back: without RestoreObject what is in GLACIER can never be read again.

    Fix: implement RestoreObject where archive classes are accepted, and refuse those classes otherwise.
    """
    stored(s3, {"warm.bin": b"at hand"})
    stored(s3, {"cold.bin": b"archived"}, StorageClass="GLACIER")
    s3.expect(s3.look("GetObject", Key=s3.key("cold.bin")), refused(403, "InvalidObjectState"))
    run = s3.program("backend", "restore", remote(s3), "-o", "priority=Standard", "-o", "lifetime=1")
    status = {each.get("Remote"): each.get("Status") for each in reported(s3, run)}
    told = set(status) == {"cold.bin", "warm.bin"} and status["cold.bin"] == "OK" and status["warm.bin"] != "OK"
    s3.check(told, "cold.bin is restored, warm.bin is not", f"it printed {status}", run)
    shown = output_where("Restore", "a state", lambda state: "ongoing-request=" in str(state))
    s3.expect(s3.look("HeadObject", Key=s3.key("cold.bin")), ok(), shown)
    s3.expect(s3.look("GetObject", Key=s3.key("warm.bin")), ok())
