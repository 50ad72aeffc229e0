import json
import shutil
import sys
from types import SimpleNamespace

import pytest
import tiny_course as tiny

from mmdl_course import doctor
from mmdl_course.course import load_course
from mmdl_course.grading.build import build_weeks


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tiny.make_course(tmp_path_factory.mktemp("course"))
    shutil.copy(tiny.REPOSITORY / "constraints.txt", root)
    build_weeks(load_course(root), [], check=False)
    return root


@pytest.fixture
def course(built, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(built, root)
    return load_course(root)


def findings(check, course, state="problem"):
    return [finding for finding in doctor._findings(check, course) if finding.state == state]


def test_on_a_sound_machine_everything_is_in_place(course, capsys):
    assert doctor.examine(course) is True
    said = capsys.readouterr().out
    assert "Everything is in place." in said
    for words in (
        "ok      Python 3.",
        "PyTorch 2.13.0",
        "kernel python3",
        "read jupyter_config.py",
        "1 notebook built",
    ):
        assert words in said


def test_problems_are_counted_and_come_with_a_remedy(course, capsys):
    (course.root / "notebooks" / "week01_tiny" / "week01_tiny.ipynb").unlink()
    (course.root / "jupyter_config.py").unlink()
    assert doctor.examine(course) is False
    said = capsys.readouterr().out
    assert "2 to mend" in said
    assert "problem notebooks/week01_tiny/week01_tiny.ipynb is missing\n        → mmdl build" in said
    assert "problem jupyter_config.py is missing\n        → git checkout -- jupyter_config.py" in said


def test_a_version_that_is_not_the_pinned_one_is_named(course):
    path = course.root / "constraints.txt"
    path.write_text(path.read_text().replace("torch==2.13.0", "torch==2.12.9"))
    (finding,) = findings(doctor._packages, course)
    assert (
        finding.what == "torch 2.13.0+cpu is installed, 2.12.9 is pinned"
        or "2.12.9 is pinned" in finding.what
    )
    assert "make setup" in finding.remedy


def test_a_missing_package_is_named(course, monkeypatch):
    real = doctor.metadata.distribution

    def without_einops(name):
        if name == "einops":
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "distribution", without_einops)
    assert [finding.what for finding in findings(doctor._packages, course)] == ["einops is not installed"]


def test_missing_constraints_are_named(course):
    (course.root / "constraints.txt").unlink()
    assert [finding.what for finding in findings(doctor._packages, course)] == ["constraints.txt is missing"]


def test_a_broken_torch_is_named_by_its_last_words(course, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text(
        "raise ImportError('libtorch_cpu.so: cannot open shared object file')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (finding,) = findings(doctor._torch, course)
    assert (
        finding.what == "PyTorch does not work: ImportError: libtorch_cpu.so: cannot open shared object file"
    )


def test_a_kernel_of_another_python_is_named(course, tmp_path, monkeypatch):
    folder = tmp_path / "share" / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {
        "argv": ["/opt/other/python", "-m", "ipykernel_launcher"],
        "display_name": "x",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    (finding,) = findings(doctor._kernel, course)
    assert finding.what == "kernel python3 starts another Python: /opt/other/python"
    assert "ipykernel install --sys-prefix" in finding.remedy


def test_a_configuration_that_jupyter_does_not_find_is_named(course, tmp_path, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    (finding,) = findings(doctor._configuration, course)
    assert "do not read the course's jupyter_config.py" in finding.what
    assert "pip install" in finding.remedy


def test_an_old_python_is_named(course, monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4, "final", 0))
    assert (
        findings(doctor._python, course)[0].what == "Python 3.10.4 is too old; the course needs 3.11 or newer"
    )


def test_python_without_an_environment_is_named(course, monkeypatch):
    monkeypatch.setattr(doctor.sys, "prefix", sys.base_prefix)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    assert "is in no environment of its own" in findings(doctor._python, course)[0].what


def test_the_environment_next_door_is_a_warning(course):
    (course.root / ".venv").mkdir()
    (finding,) = findings(doctor._python, course, "warning")
    assert "not from the course's .venv" in finding.what


def test_it_says_where_progress_is_kept(course, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_PROGRESS", str(tmp_path / "not" / "there" / "yet"))
    (finding,) = findings(doctor._progress, course, "ok")
    assert str(tmp_path / "not" / "there" / "yet") in finding.what


def test_progress_that_cannot_be_kept_is_a_warning(course, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_PROGRESS", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)
    (finding,) = findings(doctor._progress, course, "warning")
    assert "MMDL_PROGRESS" in finding.remedy


def test_models_that_are_not_fetched_are_a_note_and_no_problem(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "_CHECKS", (doctor._models,))
    assert doctor.examine(course) is True
    said = capsys.readouterr().out
    assert "note    model minilm is not fetched; some later weeks use it\n" in said
    assert "→ mmdl fetch minilm  (84 MB, once)" in said


def test_a_damaged_model_is_a_warning(course, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    (tmp_path / "models" / "minilm").mkdir(parents=True)
    (finding,) = findings(doctor._models, course, "warning")
    assert finding.what.endswith("manifest.json is missing or damaged.")
    assert finding.remedy == "mmdl fetch minilm"


def test_little_room_is_a_warning_and_no_problem(course, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=4e8))
    (finding,) = findings(doctor._room, course, "warning")
    assert finding.what == "0.4 GB of disk free; the course is comfortable with 2"
    monkeypatch.setattr(doctor, "_CHECKS", (doctor._room,))
    assert doctor.examine(course) is True


def test_the_doctor_survives_whatever_a_broken_installation_raises(course, monkeypatch, capsys):
    def _broken(course):
        raise OSError("the disk is gone")
        yield course

    monkeypatch.setattr(doctor, "_CHECKS", (_broken,))
    assert doctor.examine(course) is False
    assert "broken: OSError: the disk is gone" in capsys.readouterr().out


def test_markers_and_extras_decide_what_is_needed():
    plain, missing = doctor.installed_closure("mmdl_course")
    assert missing == set()
    assert {"torch", "numpy", "sqlalchemy"} <= set(plain)  # sqlalchemy through nbgrader
    assert "mmdl-course" not in plain
    assert "pytest-xdist" not in plain
    assert "pytest-xdist" in doctor.installed_closure("mmdl_course[dev]")[0]
