"""The report on the machine, and the set-up that every notebook calls."""

import io
import os
import subprocess
import sys
from importlib import metadata

import matplotlib
import pytest
import torch

from utils import machine
from utils.machine import EDITION, Finding, look, report, required, set_up
from utils.training import pick_device, seed_everything


def finding_on(word):
    """Return the findings of this machine that mention a word."""
    return [finding for finding in look() if word in finding.text]


def test_this_machine_is_found_ready(capsys):
    report()
    printed = capsys.readouterr().out
    assert printed.count("✓") == len(look()) and "✗" not in printed
    assert printed.endswith("This machine is ready.\n")


def test_endings_of_versions_do_not_count(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: required()[name] + "+cu130")
    assert all(finding.good for finding in machine.look_at_packages())


def test_another_version_and_a_missing_package_are_said_with_the_mend(monkeypatch, capsys):
    def version(name):
        if name == "tqdm":
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "numpy" else required()[name]

    monkeypatch.setattr(metadata, "version", version)
    report()
    printed = capsys.readouterr().out
    assert f"✗ numpy 1.0, while the course's pages were made with {required()['numpy']}" in printed
    assert "✗ tqdm is not installed" in printed
    assert printed.count("to fix: start the course with `python3 course.py lab`") == 2
    assert printed.endswith("2 to fix, see above.\n")


def test_an_unsupported_python_is_said(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    finding = machine.look_at_python()
    assert not finding.good and "Python 3.11 to 3.14" in finding.fix


def test_a_damaged_data_file_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "DATA", tmp_path)
    (finding,) = machine.look_at_data()
    assert not finding.good and "data/checksums.json is missing" in finding.fix


@pytest.mark.parametrize("text", ["[]", "7", '{"digits.h5": 7}', '{"digits.h5": {}}', "{"])
def test_a_damaged_list_of_data_files_is_said(tmp_path, monkeypatch, text):
    (tmp_path / "checksums.json").write_text(text)
    monkeypatch.setattr(machine, "DATA", tmp_path)
    with pytest.raises(machine.DataFileError, match="checksums.json is missing or damaged: get it"):
        machine.verify("digits.h5")


def test_a_device_that_is_not_there_is_one_finding(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    finding = machine.look_at_device()
    assert not finding.good
    assert "COURSE_DEVICE asks for mps, but torch finds no such device" in finding.fix


def test_a_console_without_signs_gets_ascii(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    report([Finding(True, "fine"), Finding(False, "wrong", "do this")])
    console.seek(0)
    assert console.read().startswith("[ok] fine\n[!!] wrong\n    to fix: do this\n")


def test_the_module_runs_as_a_program():
    environment = {**os.environ, "COURSE_DEVICE": "cpu", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "utils.machine"]
    good = subprocess.run(
        command, cwd=machine.ROOT, env=environment, capture_output=True, encoding="utf-8"
    )
    assert good.returncode == 0 and "✓ device cpu" in good.stdout
    environment["COURSE_DEVICE"] = "abacus"
    bad = subprocess.run(
        command, cwd=machine.ROOT, env=environment, capture_output=True, encoding="utf-8"
    )
    assert bad.returncode == 1 and not bad.stderr
    assert "asks for the device 'abacus', which does not exist" in bad.stdout


# ------------------------------------------------------------------------------------------ set_up
def test_set_up_takes_one_thread_and_the_course_style():
    before = torch.get_num_threads()
    try:
        with matplotlib.rc_context():
            set_up(EDITION)
            assert torch.get_num_threads() == 1
            assert matplotlib.rcParams["axes.spines.top"] is False
            set_up(EDITION, threads=2)
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_set_up_says_which_package_is_missing(monkeypatch):
    monkeypatch.setattr(machine, "is_there", lambda module: module != "h5py")
    with pytest.raises(RuntimeError, match="where h5py is not installed.*course.py lab"):
        set_up(EDITION)


@pytest.mark.parametrize(
    "own, file",
    [("torch.py", "torch.py"), ("numpy", "numpy/__init__.py"), (None, "torch/notes.md")],
)
def test_a_file_with_the_name_of_a_package_is_named(tmp_path, own, file):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    cell = f"import sys; sys.path.insert(0, {str(machine.ROOT)!r})\n"
    cell += f"from utils.machine import set_up; set_up(edition={EDITION})"
    # As in a kernel, Python looks in the current folder first.
    ran = subprocess.run(
        [sys.executable, "-c", cell], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    if own is None:  # a folder without Python in it is not in the way
        assert ran.returncode == 0
    else:
        assert f"{tmp_path / own} has the name of the package {own[:5]}" in ran.stderr
        assert ran.stderr.endswith("give it another name, then restart the kernel.\n")


@pytest.mark.parametrize(
    "session, number",
    [("work/02_function_fitting.ipynb", "02"), ("mine.ipynb", "NN"), (None, "NN")],
)
def test_a_copy_from_another_edition_says_how_to_get_a_fresh_one(monkeypatch, session, number):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if session:
        monkeypatch.setenv("JPY_SESSION_NAME", session)
    sentence = f"edition 1 .* edition {EDITION}: .*course.py reset {number}`"
    with pytest.raises(RuntimeError, match=sentence):
        set_up()  # as the first edition's notebooks call it


def test_set_up_lets_cuda_compute_repeatably_in_full_precision(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    cudnn = torch.backends.cudnn
    with matplotlib.rc_context():
        set_up(EDITION, threads=torch.get_num_threads())
    assert cudnn.conv.fp32_precision == "ieee"
    assert cudnn.allow_tf32 is False  # raises where it contradicts the line above
    assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


# ------------------------------------------------------------------------------ seeds and devices
def test_one_seed_sets_every_generator():
    import random

    import numpy as np

    def draw():
        seed_everything(3)
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw() == draw()


def test_pick_device(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device() == torch.device("cpu"), "MPS is only taken where it is asked for"
    assert pick_device("mps") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == torch.device("cuda")
    monkeypatch.setenv("COURSE_DEVICE", " CPU ")
    assert pick_device() == torch.device("cpu")


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("COURSE_DEVICE", "cuda")
    with pytest.raises(ValueError, match="COURSE_DEVICE asks for cuda.*no such.*say cpu"):
        pick_device()
    with pytest.raises(ValueError, match="'tpu', which does not exist: say cpu, cuda or mps"):
        pick_device("tpu")
