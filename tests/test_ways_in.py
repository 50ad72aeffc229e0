"""The ways into the course besides `make lab`: Binder, a development container, `make site`."""

import json
import re
import shlex
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

from mmdl_course.cli import app
from mmdl_course.course import find_root, load_course
from mmdl_course.doctor import read_pins

ROOT = find_root()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCRIPT = ROOT / ".binder" / "postBuild"
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))

# What the format's own description calls the fields of an image, with the kinds that they may have.
FIELDS = {
    "name": str,
    "image": str,
    "hostRequirements": dict,
    "postCreateCommand": str,
    "postAttachCommand": str,
    "forwardPorts": list,
    "portsAttributes": dict,
    "customizations": dict,
}


def commands():
    """The script's commands, in words, and the options of the shell left out."""
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line) for line in lines if line and not line.startswith(("#", "set "))]


def python_versions():
    """Every place that names the Python of a container or environment, and what it names."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (line,) = (entry for entry in conda if isinstance(entry, str) and entry.startswith("python="))
    return {
        "environment.yml": line.removeprefix("python="),
        ".binder/runtime.txt": (ROOT / ".binder/runtime.txt").read_text().strip().removeprefix("python-"),
        ".devcontainer": CONTAINER["image"].removeprefix("python:"),
    }


def test_every_container_has_the_same_python_and_the_package_accepts_it():
    versions = python_versions()
    assert len(set(versions.values())) == 1, versions
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(
        f"{versions['environment.yml']}.0"
    )


def test_binder_can_run_the_script():
    assert SCRIPT.stat().st_mode & 0o111
    assert SCRIPT.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--stage", ".binder/postBuild"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert not listed or listed.startswith("100755")  # a copy without its history has nothing to say


def test_binder_finds_nothing_beside_the_script_that_it_would_install_first():
    # repo2docker reads this folder and no other one when it is there.
    assert {path.name for path in SCRIPT.parent.iterdir()} == {"postBuild", "runtime.txt"}


def test_the_script_installs_what_is_pinned():
    installs = [words for words in commands() if "install" in words]
    assert len(installs) == 2
    for words in installs:
        assert words[words.index("--constraint") + 1] == "constraints.txt"
    assert installs[0][-1] == "uv"
    assert installs[1][-2:] == ["--editable", "."]
    assert "uv" in read_pins(load_course(ROOT))


def test_the_script_takes_pytorch_without_graphics_cards():
    (words,) = (words for words in commands() if "--torch-backend" in words)
    assert words[words.index("--torch-backend") + 1] == "cpu"


def test_the_scripts_verbs_are_verbs_of_the_course():
    verbs = [words[1] for words in commands() if words[0] == "mmdl"]
    assert verbs
    for verb in verbs:
        assert CliRunner().invoke(app, [verb, "--help"]).exit_code == 0


def test_the_development_container_has_the_fields_of_its_format():
    for name, value in CONTAINER.items():
        assert isinstance(value, FIELDS[name]), name
    assert all(isinstance(port, int) for port in CONTAINER["forwardPorts"])
    assert set(CONTAINER["portsAttributes"]) <= {str(port) for port in CONTAINER["forwardPorts"]}
    assert isinstance(CONTAINER["hostRequirements"]["cpus"], int)
    for room in ("memory", "storage"):
        assert re.fullmatch(r"\d+(tb|gb|mb|kb)?", CONTAINER["hostRequirements"][room])
    assert all(
        re.fullmatch(r"[\w-]+\.[\w-]+", name) for name in CONTAINER["customizations"]["vscode"]["extensions"]
    )


def test_the_development_container_calls_what_there_is():
    shell, script = shlex.split(CONTAINER["postCreateCommand"])
    assert shell == "bash"
    assert (ROOT / script).samefile(SCRIPT)
    assert shlex.split(CONTAINER["postAttachCommand"])[:2] == ["jupyter", "lab"]


def test_both_are_in_the_repository():
    ignored = subprocess.run(
        [
            "git",
            "check-ignore",
            ".binder/postBuild",
            ".binder/runtime.txt",
            ".devcontainer/devcontainer.json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""


@pytest.mark.parametrize("target", ["lab", "site", "setup"])
def test_make_has_the_verb_and_lists_it(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert target in phony.split()


def test_make_site_installs_what_the_site_needs_before_it_makes_it():
    shown = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", "site", "SITE_FLAGS=--full"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.index("[dev,site]") < shown.index("mmdl site --full")
