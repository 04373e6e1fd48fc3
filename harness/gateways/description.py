"""What is known of a real gateway: how to get it, how to start it, and what a run against it is to be given.

Descriptions are TOML files, those that come with the program in `fixtures/gateways/`; docs/gateways.md explains them.
They are data: commands are lists of words, files are templates, and nothing is given to a shell.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from harness.config import Addressing
from harness.errors import UsageError, unknown
from harness.gateways import placeholders
from harness.profile import STANDARD
from harness.profile_text import explained

FOLDER = Path(__file__).parents[2] / "fixtures" / "gateways"
GIVEN = (
    "folder",
    "port",
    "user",
    "region",
    "access_key",
    "secret_key",
    "second_access_key",
    "second_secret_key",
    "jar",
)
"""Placeholders that every description has; others are its ports, and what its commands tell."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_WAITS = ("http://127.0.0.1:", "tcp://127.0.0.1:", "file:///", "file://{folder}/")
_PYTHON = re.compile(r"3\.[0-9]+")
_MODULE = re.compile(r"\S+@\S+")
_ARTIFACT = re.compile(r"[^\s:]+(:[^\s:]+){2,3}")

Kind = Literal["write", "run", "start", "wait"]


class Install(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packages by the registry that has them; `debian` ones belong to the machine, all others to the gateway alone.

    `python` is the oldest version, as "3.13", that `pip` packages run with; `needs` are programs that the machine must
    have, which may be all that the gateway needs.
    """

    pip: list[str] = []
    python: str = ""
    npm: list[str] = []
    go: list[str] = []
    cargo: list[str] = []
    maven: list[str] = []
    debian: list[str] = []
    needs: list[str] = []

    def __post_init__(self) -> None:
        if self.python and not _PYTHON.fullmatch(self.python):
            raise ValueError(f"{self.python!r} is no version of Python: 3.NUMBER")
        for name in (*self.go, *self.cargo):
            if not _MODULE.match(name):
                raise ValueError(f"{name!r} names no version: PACKAGE@VERSION")
        for name in self.maven:
            if not _ARTIFACT.fullmatch(name):
                raise ValueError(f"{name!r} is not GROUP:ARTIFACT:VERSION[:CLASSIFIER]")

    @property
    def packages(self) -> dict[str, list[str]]:
        """The packages by registry, those without any left out."""
        ways = {name: getattr(self, name) for name in ("pip", "npm", "go", "cargo", "maven", "debian")}
        return {name: found for name, found in ways.items() if found}


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command that tells the gateway's version, which is the first group of `pattern` in its output."""

    run: list[str]
    pattern: str

    def __post_init__(self) -> None:
        _group(self.pattern)


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of an account; those that are left out are invented at each start. None of them is a secret."""

    access_key: str = ""
    secret_key: str = ""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run against the gateway is to be given, unless the user says otherwise."""

    workers: int | None = None
    timeout: float | None = None


_BESIDE: dict[Kind, tuple[str, ...]] = {
    "write": ("text",),
    "run": ("seconds", "environment", "keep", "pattern"),
    "start": ("wait", "seconds", "environment", "again"),
    "wait": ("seconds",),
}
"""What each kind of step can have besides."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step to a running gateway: write a file, run a command to its end, start a process, or wait.

    `seconds` bounds a command or a wait. `keep` is the placeholder that a command's output (or the first group of
    `pattern` in it) is kept as. A process may have what to wait for; with `again` it is started again whenever it ends.
    """

    write: str = ""
    text: str = ""
    run: list[str] = []
    start: list[str] = []
    wait: str = ""
    seconds: float = 60.0
    environment: dict[str, str] = {}
    keep: str = ""
    pattern: str = ""
    again: bool = False

    def __post_init__(self) -> None:
        kinds = [name for name in ("write", "run", "start") if getattr(self, name)]
        if len(kinds or [self.wait]) != 1 or not (kinds or self.wait):
            raise ValueError(f"a step has exactly one of {', '.join(get_args(Kind))}")
        for field in msgspec.structs.fields(self):
            if getattr(self, field.name) != _default(field) and field.name not in (self.kind, *_BESIDE[self.kind]):
                raise ValueError(f"{field.name!r} does not belong to a step with {self.kind!r}")
        if self.seconds <= 0:
            raise ValueError("'seconds' must be more than 0")
        if self.write.startswith("/") or ".." in Path(self.write).parts:
            raise ValueError(f"{self.write!r} is not a file below the gateway's folder")
        _waitable(self.wait)
        if self.pattern:
            _group(self.pattern)

    @property
    def kind(self) -> Kind:
        """What the step does."""
        kinds: tuple[Kind, ...] = ("write", "run", "start")
        return next((name for name in kinds if getattr(self, name)), "wait")

    @property
    def templates(self) -> list[str]:
        """All texts in which placeholders may stand."""
        return [self.write, self.text, *self.run, *self.start, self.wait, *self.environment.values()]


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container image with the gateway, for machines that reach an image registry.

    `port` is the one inside, published on {port} of the loopback address, `also` are further ones, published there
    under their own numbers; `files` are put into it before its start, by absolute path; `after` are commands that are
    run in it once it answers.
    """

    name: str
    port: int
    also: list[int] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    files: dict[str, str] = {}
    after: list[list[str]] = []
    wait: str = "http://127.0.0.1:{port}/"
    seconds: float = 120.0

    def __post_init__(self) -> None:
        _waitable(self.wait)
        for path in self.files:
            if not path.startswith("/"):
                raise ValueError(f"{path!r} is no absolute path")

    @property
    def templates(self) -> list[str]:
        """All texts in which placeholders may stand."""
        after = [word for words in self.after for word in words]
        return [*self.command, *self.environment.values(), *self.files.values(), *after, self.wait]


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway as its description has it.

    `notes` say what a reader of results should know of this set-up. `ports` are the names of free ports beside {port}.
    `second` is there where another account is.
    """

    name: str
    title: str
    homepage: str
    licence: str
    profile: str = STANDARD
    notes: str = ""
    endpoint: str = "http://localhost:{port}"
    region: str = "us-east-1"
    addressing: Addressing = "path"
    website: str = ""
    ports: list[str] = []
    install: Install = Install()
    version: Version | None = None
    credentials: Account = Account()
    second: Account | None = None
    options: Options = Options()
    steps: list[Step] = []
    image: Image | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name: lower-case letters, digits, - and _")
        if not self.endpoint.startswith(("http://localhost:{port}", "http://127.0.0.1:{port}")):
            raise ValueError(f"endpoint {self.endpoint!r} is not at {{port}} of this machine")
        software = bool(self.install.packages or self.install.needs)
        if software != any(step.start for step in self.steps):
            raise ValueError("what [install] names needs a step that starts something, and such a step needs [install]")
        if not self.steps and self.image is None:
            raise ValueError("there is neither a step nor an image")


def names() -> list[str]:
    """The gateways that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Gateway:
    """The description of a known gateway, or one in a TOML file.

    Raises:
        UsageError: there is no such description, or it has a mistake.
    """
    path = Path(name) if name.endswith(".toml") or "/" in name else FOLDER / f"{name}.toml"
    if path.parent == FOLDER and path.stem not in names():
        raise unknown("gateway", name, names())
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
        found = msgspec.convert(data, Gateway)
    except OSError as error:
        raise UsageError(f"cannot read gateway {path}: {error.strerror}") from None
    except RecursionError:
        raise UsageError(f"gateway {path}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"gateway {path}: {error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"gateway {path}{explained(str(error), text, data, Gateway)}") from None
    if found.name != path.stem:
        raise UsageError(f"gateway {path}: its name is {found.name!r}; it must be that of the file")
    try:
        for texts, known, where in _templates(found):
            placeholders.check(texts, known, where)
    except UsageError as error:
        raise UsageError(f"gateway {path}: {error}") from None
    return found


def _templates(found: Gateway) -> Iterator[tuple[Iterable[str], Iterable[str], str]]:
    """Texts of a description, the placeholders that have a value there, and where they stand."""
    known = {*GIVEN, *found.ports}
    yield [found.endpoint], known, "endpoint"
    yield [found.website], {*known, "bucket"}, "website"
    if found.image is not None:
        yield found.image.templates, known, "image"
    for number, step in enumerate(found.steps, 1):
        yield step.templates, known, f"step {number}"
        known |= {step.keep} if step.keep else set()
    if found.version is not None:
        yield found.version.run, known, "version"
    for name in (*found.ports, *(step.keep for step in found.steps if step.keep)):
        if name in GIVEN or not placeholders.NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot be the name of a port or of what a command tells")


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def _group(pattern: str) -> None:
    """A pattern has a group, which is what is wanted of what it matches.

    Raises:
        ValueError: it has none, or is no pattern.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if not groups:
        raise ValueError(f"{pattern!r} has no group ( )")


def _waitable(wait: str) -> None:
    if wait and not wait.startswith(_WAITS):
        raise ValueError(f"{wait!r} cannot be waited for: it begins with one of {', '.join(_WAITS)}")
