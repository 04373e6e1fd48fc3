"""The image that the Dockerfile makes: it is built, and does what the program does.

Where no base image can be pulled, one is made of Debian packages (`base`, beside this file). Containers have no
network: the bundled server is all they need.
"""

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import support

BASE, STAND_IN = "python:3.13-slim", "s3conform-base:stand-in"
IMAGE = "s3conform:test"
SCENARIO = ("--clients", "raw", "--scenario", "ETAG-001")


def docker(*arguments: object, seconds: float = 60) -> support.Ended:
    """Run `docker ARGUMENTS`, bounded."""
    done = subprocess.run(
        ["docker", *map(str, arguments)],  # noqa: S607 - found on PATH
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return support.Ended(done.returncode, done.stdout, done.stderr)


def answers() -> bool:
    """Whether there is an engine."""
    try:
        return docker("info", seconds=20).code == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def base() -> str:
    """An image to build upon: the usual one, or else one made here."""
    for name in (BASE, STAND_IN):
        if docker("image", "inspect", name).code == 0:
            return name
    if docker("pull", "--quiet", BASE, seconds=120).code == 0:
        return BASE
    made = subprocess.run(
        [Path(__file__).parent / "base", STAND_IN], capture_output=True, text=True, timeout=300, check=False
    )
    if made.returncode:
        pytest.skip(f"no base image can be pulled or made: {made.stderr.strip().splitlines()[-1]}")
    return STAND_IN


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time: workers of a test run build the same image, the second from the cache of the first."""
    with (Path(tempfile.gettempdir()) / "s3conform-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def image() -> str:
    """The image, built as its users build it; with the host's network, which reaches the package index."""
    if not answers():
        pytest.skip("no container engine answers")
    with alone():
        built = docker(
            "build", "--network", "host", "--build-arg", f"BASE={base()}", "--tag", IMAGE, support.ROOT, seconds=540
        )
    assert built.code == 0, built.text[-4000:]
    return IMAGE


def ran(image: str, *arguments: object, options: tuple[str, ...] = ()) -> support.Ended:
    """What `docker run IMAGE ARGUMENTS` came to."""
    return docker("run", "--rm", "--network", "none", *options, image, *arguments, seconds=120)


def test_it_lists_what_can_be_checked(image: str) -> None:
    """The package in it is whole."""
    done = ran(image, "scenarios")
    assert done.code == 0, done.text
    assert "ETAG-001" in done.out


def test_its_user_has_no_rights(image: str) -> None:
    """Whoever breaks out of a client program is nobody."""
    assert ran(image, "-u", options=("--entrypoint", "id")).out == "10001\n"


def run_in(folder: Path, image: str, *arguments: str) -> Path:
    """The run folder that `run ARGUMENTS` leaves in a mounted folder; with the rights of whoever tests, root aside."""
    folder.chmod(0o777)
    user = () if os.getuid() == 0 else ("--user", f"{os.getuid()}:{os.getgid()}")
    done = ran(image, "run", *arguments, options=("--volume", f"{folder}:/work", *user))
    assert done.code == 0, done.text
    return folder / "reports" / "latest"


def test_a_report_lands_in_the_mounted_folder(image: str, tmp_path: Path) -> None:
    """As the program would write it in that folder."""
    latest = run_in(tmp_path, image, *SCENARIO)
    assert support.cells(latest) == {"ETAG-001[raw]": "conforms"}
    assert (latest / "index.html").stat().st_uid != 0


def test_it_has_the_clients_that_packages_bring(image: str, tmp_path: Path) -> None:
    """None is missing for want of a library or a folder to write to; they run as programs."""
    names = ["boto3", "awscli", "rclone", "s5cmd", "s3cmd"]
    latest = run_in(tmp_path, image, "--clients", ",".join(names), "--scenario", "ETAG-001")
    header, *_ = support.lines(latest)
    assert {client["name"] for client in header["clients"]} == set(names)
    assert [client.get("missing", "") for client in header["clients"] if client.get("missing")] == []
    assert set(support.cells(latest).values()) <= {"conforms", "inapplicable"}
    assert support.cells(latest)["ETAG-001[rclone]"] == "conforms"


def test_any_user_may_run_it(image: str) -> None:
    """One that the image does not know, with nothing mounted."""
    done = ran(image, "run", *SCENARIO, options=("--user", "12345:12345"))
    assert done.code == 0, done.text


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ("run", "--clients", "none-such")),
        (3, ("run", "--endpoint", "http://127.0.0.1:9", "--access-key", "a", "--secret-key", "b")),
        (4, ("gate", "none-such")),
    ],
)
def test_exit_codes_come_through(code: int, arguments: tuple[str, ...], image: str) -> None:
    """A gate in a container is a gate."""
    assert code == ran(image, *arguments).code


def test_what_is_in_the_way_of_a_build_is_left_out() -> None:
    """The context is the package and nothing else: no history, no reports, no environment."""
    lines = (support.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    packages = {"harness", "scenarios", "reference_server", "reports", "fixtures"}
    assert kept == {"pyproject.toml", "README.md", "LICENSE", *packages}
