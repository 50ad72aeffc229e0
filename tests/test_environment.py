"""pyproject.toml, constraints.txt and environment.yml agree with each other and with what is installed."""

import re
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mmdl_course.course import find_root, load_course
from mmdl_course.doctor import installed_closure, read_pins

ROOT = find_root()
GIVEN = (
    "jupyterlab",
    "nbgrader",
    "torch",
    "matplotlib",
    "scikit-learn",
    "umap-learn",
    "ipywidgets",
    "pytest",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = {canonicalize_name(Requirement(line).name): Requirement(line) for line in PROJECT["dependencies"]}
EXTRAS = [Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines]
PINS = read_pins(load_course(ROOT))


def conda():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    return environment, pip


def test_every_line_of_the_constraints_is_an_exact_pin():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line
    assert len(PINS) == sum(not line.startswith("#") for line in lines)  # nothing twice


@pytest.mark.parametrize("name", GIVEN)
def test_the_given_packages_are_direct_dependencies(name):
    assert name in DIRECT


@pytest.mark.parametrize("requirement", [*DIRECT.values(), *EXTRAS], ids=str)
def test_each_pin_lies_in_the_range_of_pyproject(requirement):
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_torch_is_the_version_the_course_was_written_with():
    assert PINS["torch"] == "2.13.0"


def test_conda_pins_exactly_the_direct_dependencies():
    _, pip = conda()
    pinned = [line for line in pip if not line.startswith("-")]
    expected = {name: PINS[name] for name in DIRECT}
    assert {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in pinned} == expected
    assert [line for line in pip if line.startswith("-")] == ["--constraint constraints.txt", "--editable ."]


def test_conda_has_a_python_the_package_accepts():
    environment, _ = conda()
    assert environment["name"] == "mmdl"
    assert environment["channels"] == ["conda-forge"]
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert {"pip", "make"} <= set(plain)
    (python,) = (entry.split("=")[1] for entry in plain if entry.startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{python}.0")


def test_everything_the_course_needs_is_pinned_and_installed_so():
    found, missing = installed_closure("mmdl_course[dev]")
    assert missing == set()
    installed = {name: version.split("+")[0] for name, version in found.items()}
    assert installed == {name: PINS.get(name, "not pinned") for name in installed}


@pytest.mark.parametrize("extra", ["site", "browser"])
def test_what_an_extra_brings_is_pinned(extra):
    found, missing = installed_closure(f"mmdl_course[{extra}]")
    if missing:
        pytest.skip(f"not installed: {', '.join(sorted(missing))} (the extra '{extra}')")
    installed = {name: version.split("+")[0] for name, version in found.items()}
    assert installed == {name: PINS.get(name, "not pinned") for name in installed}


def test_the_version_is_one():
    assert metadata.version("mmdl_course") == PROJECT["version"]
