"""The launcher through its command line: its commands, and the Python that runs it."""

import ast
import contextlib
import importlib.util
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from launcher_course import (
    NOTEBOOKS,
    ROOT,
    WINDOWS,
    echoed,
    notebook,
    only_posix,
    works,
    write,
)

from tools.classroom import grade
from tools.notebooks import refresh, solved
from tools.settings import LAUNCHER
from tools.setup.console import CourseError

# -- The running Python ------------------------------------------------------------------------


def test_course_py_parses_on_old_pythons():
    source = (ROOT / "course.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))


PRETEND = """
import runpy, sys
sys.version_info = (3, {minor}, 2, "final", 0)
sys.argv = ["course.py", "lab", "--port", "8899", "my notes"]
sys.path.insert(0, {root!r})
runpy.run_path({path!r}, run_name="__main__")
"""


def pretend(new_course, minor, path):
    """Run the launcher as if on another Python, with only `path` to find programs on."""
    text = PRETEND.format(
        minor=minor, root=str(new_course.root), path=str(new_course.root / "course.py")
    )
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**new_course.environment, "PATH": str(path)},
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("minor", [8, 10, 15])
def test_unsupported_python_is_told_which_are_supported(new_course, minor):
    done = pretend(new_course, minor, path=new_course.stubs)
    assert done.returncode == 1
    assert "3.11 to 3.14" in done.stderr and f"Python 3.{minor}.2" in done.stderr
    # Windows finds its launcher py without a PATH.
    found = WINDOWS and "type py -3." in done.stderr
    assert found or "https://www.python.org/downloads/" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not new_course.venv.exists()


@only_posix
def test_unsupported_python_is_told_what_to_type_instead(new_course):
    for name, status in (("python3.13", 127), ("python3.12", 0)):
        write(new_course.stubs / name, f"#!/bin/sh\nexit {status}\n")
        (new_course.stubs / name).chmod(0o755)
    done = pretend(new_course, 9, path=new_course.stubs)
    # python3.13 is on the PATH but leads nowhere, as a version manager's may.
    assert 'type python3.12 course.py lab --port 8899 "my notes"' in done.stderr


def test_real_old_pythons_get_the_sentence(new_course):
    found = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    old = [python for python in found if python and works(python)]
    if not old:
        pytest.skip("there is no Python 3.6 to 3.10 here")
    for python in old:
        assert "3.11 to 3.14" in new_course.fails("lab", python=python)


@only_posix
def test_launcher_is_reached_by_a_link_from_elsewhere(new_course):
    link = new_course.root.parent / "course.py"
    link.symlink_to(new_course.root / "course.py")
    done = subprocess.run([sys.executable, str(link), "check"], capture_output=True)
    assert "course.py lab" in done.stdout.decode() and not done.stderr


def test_launcher_without_its_folder_says_so(tmp_path):
    shutil.copy(ROOT / "course.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "course.py", "lab"], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1 and "beside tools/" in done.stderr
    assert "Traceback" not in done.stderr


# -- The command line --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def command_line():
    """The function that runs a command line, in this process."""
    return runpy.run_path(str(ROOT / "course.py"))["run"]


def test_no_command_prints_a_short_help_with_the_main_ones_first(command_line, capsys):
    assert command_line([]) == 0
    out = capsys.readouterr().out
    assert out.index("lab ") < out.index("test ") < out.index("check ")
    assert len(out.splitlines()) < 32


HANDED_OVER = ["new", "refresh", "solved", "slides", "site", "film", "handout", "bench", "grade"]
OWN = ["lab", "copies", "present", "test", "check", "reset", "progress", "hand-in", "pack", "lint"]


@pytest.mark.parametrize("command", [*OWN, *HANDED_OVER])
def test_each_command_explains_itself(command_line, capsys, command):
    with pytest.raises(SystemExit) as end:
        command_line([command, "--help"])
    assert end.value.code == 0 and f"course.py {command}" in capsys.readouterr().out


WRONG = {
    "labb": "there is no command labb: did you mean lab?",
    "progres": "did you mean progress?",
    "zzz": "there is no command zzz: `",
    "lab 01": "`lab` opens all notebooks: choose 01_tensors in the list on the left",
    "lab 42": "lab does not know 42",
    "lab --prt": "does not know --prt",
    "present 01 --prt": "does not know --prt",
    "check 01": "does not know 01",
    "reset": "required: NN",
    "lab --port -1": "-1 is not the number of a port",
    "lab --port 80000": "80000 is not the number of a port",
    "present --port x": "x is not the number of a port",
}


@pytest.mark.parametrize("words", WRONG)
def test_words_that_mean_nothing_are_refused(command_line, capsys, words):
    with pytest.raises(SystemExit) as end:
        command_line(words.split())
    assert end.value.code == 2 and WRONG[words] in capsys.readouterr().err


@pytest.mark.parametrize("command", ["slides 01", "handout", "solved", "refresh", "present"])
def test_a_number_of_no_notebook_is_refused_before_anything_is_installed(new_course, command):
    assert "There is no notebook 42" in new_course.fails(*command.split(), "42")
    assert not new_course.venv.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="grades on Linux only")
def test_grade_of_no_folder_leaves_none(tmp_path):
    with pytest.raises(CourseError, match="There is no .*nowhere"):
        grade.main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "grades")])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tool", [grade, refresh, solved])
def test_usage_is_what_one_types(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(["--nonsense"])
    name = tool.__name__.rpartition(".")[2]
    assert capsys.readouterr().err.startswith(f"usage: {LAUNCHER} {name} ")


def test_lab_serves_this_machine_alone_and_asks_for_a_token(made_course):
    def arguments(out):
        (line,) = [line for line in out.splitlines() if line.startswith("{")]
        return json.loads(line)["arguments"]

    usual = arguments(made_course.succeeds("lab"))
    assert "--ServerApp.ip=127.0.0.1" in usual and "--ServerApp.allow_remote_access=False" in usual
    assert not any("token" in word for word in usual)  # JupyterLab makes one, and says it
    for variables in ({"TOKEN": ""}, {"JUPYTER_TOKEN": ""}):  # the user's own settings want none
        out = made_course.succeeds("lab", **variables)
        (word,) = [word for word in arguments(out) if "IdentityProvider.token=" in word]
        token = word.partition("=")[2]
        assert len(token) >= 32 and f"It is {token}" in out
    assert arguments(made_course.succeeds("lab", TOKEN="mine")) == usual


def test_present_hands_over_with_the_maintainers_tools(made_course):
    out = made_course.succeeds("present", "--no-browser", "--port", "8899", "01", "--", "--debug")
    assert echoed(out)["arguments"] == ["--no-browser", "--port", "8899", "01", "--", "--debug"]
    assert any(
        "tools/requirements.txt" in word for call in made_course.pip_calls() for word in call
    )
    assert echoed(made_course.succeeds("present"))["arguments"] == ["00", "--"]


def test_bench_hands_over_its_options(made_course):
    assert echoed(made_course.succeeds("bench", "--rounds", "3"))["arguments"] == ["--rounds", "3"]


def test_test_hands_over_to_pytest_with_options_in_order(new_course):
    words = ["-x", "tests/test_data.py", "-k", "not slow", "--", "--maxfail=2"]
    out = new_course.succeeds("test", "--device", "cuda", *words)
    started = echoed(out)
    assert started["arguments"] == ["-x", "tests/test_data.py", "-k", "not slow", "--maxfail=2"]
    assert os.path.samefile(started["folder"], new_course.root)
    assert started["variables"]["COURSE_DEVICE"] == "cuda"
    # Only --other-cpu sets it; the tests themselves may be running under that.
    assert started["variables"].get("ATEN_CPU_CAPABILITY") == os.environ.get("ATEN_CPU_CAPABILITY")


def test_test_runs_all_with_full_and_what_computes_on_another_cpu(made_course):
    assert echoed(made_course.succeeds("test", "--full", "-x"))["arguments"] == ["--full", "-x"]
    started = echoed(made_course.succeeds("test", "--other-cpu"))
    assert started["arguments"] == ["-m", "computes"]
    variables = started["variables"]
    assert variables["ATEN_CPU_CAPABILITY"] == "default"
    assert variables["MKL_CBWR"] == "COMPATIBLE"
    assert variables["ONEDNN_MAX_CPU_ISA"] == "SSE41"
    assert "COURSE_DEVICE" not in variables


@pytest.mark.parametrize("status", [0, 1, 5])
def test_exit_status_is_the_programs(made_course, status):
    assert made_course.call("test", ENDS_WITH=str(status))[0] == status
    assert made_course.call("lint", ENDS_WITH=str(status))[0] == status


@pytest.mark.parametrize("wrong", ["check", "format"])
def test_lint_fails_for_style_and_for_format(made_course, wrong):
    write(made_course.root / "ruff.py", f"import sys\nsys.exit({wrong!r} == sys.argv[1])\n")
    assert made_course.call("lint")[0] == 1


def test_programs_run_in_the_environment_and_see_nobody_elses_modules(made_course):
    started = echoed(made_course.succeeds("solved", "01", PYTHONHOME=""))
    assert started["arguments"] == ["01"]
    assert started["python"].startswith(str(made_course.venv))
    assert "PYTHONPATH" not in started["variables"]
    first_folder = started["variables"]["PATH"].split(os.pathsep)[0]
    assert first_folder == os.path.dirname(started["python"])


def test_lab_lays_copies_without_outputs_and_opens_the_first(new_course):
    out = new_course.succeeds("lab", "--no-browser", "--port", "8899", "--", "--debug", "x y")
    arguments = next(json.loads(line) for line in out.splitlines() if line[:1] == "{")["arguments"]
    assert f"--ServerApp.root_dir={new_course.root}" in arguments
    assert "--LabApp.default_url=/lab/tree/work/00_start_here.ipynb" in arguments
    assert "--no-browser" in arguments and "--ServerApp.port=8899" in arguments
    assert arguments[-2:] == ["--debug", "x y"]
    assert ("--allow-root" in arguments) == (not WINDOWS and os.geteuid() == 0)
    for name, source in NOTEBOOKS.items():
        laid = (new_course.work / f"{name}.ipynb").read_text("utf-8")
        assert laid == notebook(source, outputs=False)
    overrides = new_course.venv / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings = json.loads(overrides.read_text("utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


@pytest.mark.parametrize("given", ["option", "variable"])
def test_copies_may_lie_elsewhere_and_each_command_finds_them(new_course, given):
    work = new_course.root.parent / "my copies"
    # A relative path counts from where the command is typed.
    words = ["--work", work.name] if given == "option" else []
    variables = {"COURSE_WORK": work.name} if given == "variable" else {}

    def type_in(*command):
        return new_course.succeeds(*command, *words, **variables)

    assert str(work / "00_start_here.ipynb") in type_in("copies")
    assert not new_course.venv.exists() and not new_course.work.exists()
    (work / "01_tensors.ipynb").write_text("{}", encoding="utf-8")
    assert "01_tensors.ipynb" in type_in("hand-in") and list(work.glob("hand-in *.zip"))
    assert "is fresh" in type_in("reset", "01")
    assert "01_tensors" in type_in("progress")
    out = type_in("lab", "--no-browser")
    arguments = next(json.loads(line) for line in out.splitlines() if line[:1] == "{")["arguments"]
    assert f"--ServerApp.root_dir={work}" in arguments
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in arguments
    assert not new_course.work.exists()


def test_lab_within_a_hub_starts_nothing(new_course):
    out = new_course.succeeds(
        "lab",
        JUPYTERHUB_SERVICE_PREFIX="/user/ada/",
        JUPYTER_SERVER_ROOT=str(new_course.root.parent),
    )
    assert "/user/ada/lab/tree/" in out and "work/00_start_here.ipynb" in out
    assert new_course.copies() and not new_course.venv.exists()


def test_progress_without_copies_says_what_lays_them(new_course):
    assert "no folder work yet" in new_course.fails("progress")


def test_reset_needs_no_environment_and_no_copy(new_course):
    new_course.succeeds("reset", "1", "01_tensors", "tensors", "0")
    assert new_course.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]
    assert not new_course.venv.exists() and not (new_course.work / "backup").exists()


# -- What is shown -----------------------------------------------------------------------------


@only_posix
@pytest.mark.parametrize("wanted", [True, False])
def test_progress_on_a_terminal(new_course, wanted):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    options = {"COURSE_PROGRESS": "1" if wanted else "0"}
    process = subprocess.Popen(
        [sys.executable, str(new_course.root / "course.py"), "solved"],
        env={**new_course.environment, **options, "COLUMNS": "70"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # Linux ends a pseudo-terminal with an error
    os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    assert ("\rStarting, 0 s" in text) == wanted
    assert "Set up in" in text


def test_console_without_a_tick_gets_letters(new_course):
    status, out, error = new_course.call("check", PYTHONIOENCODING="ascii")
    assert status == 1 and "[ok] Python" in out and "[!!]" in out


def test_check_says_what_is_missing_and_installs_nothing(new_course):
    before = sorted(new_course.root.iterdir())
    status, out, _ = new_course.call("check")
    assert status == 1 and ".venv is not made yet" in out and "course.py lab" in out
    assert sorted(path for path in new_course.root.iterdir()) == before


def test_check_goes_on_to_the_machine(made_course):
    out = made_course.succeeds("check")
    assert ".venv is complete" in out
    assert echoed(out)["python"].startswith(str(made_course.venv))
    assert made_course.call("check", ENDS_WITH="1")[0] == 1


@pytest.mark.parametrize("what", ["changed", "interrupted", "moved"])
def test_check_finds_what_the_next_start_mends(made_course, what):
    if what == "changed":
        write(made_course.root / "requirements.txt", "probe==2.0\n")
    elif what == "interrupted":
        made_course.ready.unlink()
    else:
        made_course.root = made_course.root.rename(made_course.root.parent / "elsewhere")
    calls = made_course.pip_calls()
    status, out, _ = made_course.call("check")
    assert status == 1 and "course.py lab" in out
    assert made_course.pip_calls() == calls


# -- JupyterLab itself -------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab") is None, reason="JupyterLab is not installed here"
)
def test_lab_opens_and_a_second_one_finds_it(new_course):
    for stand_in in ("jupyterlab", "jupyter_server"):
        shutil.rmtree(new_course.root / stand_in)
    write(new_course.root / "requirements.txt", "")
    own = {
        f"JUPYTER_{name}_DIR": str(new_course.root.parent / name)
        for name in ("RUNTIME", "CONFIG", "DATA")
    }
    words = ["--here", "--no-browser", "--port", "0"]
    lab = new_course.start("lab", *words, **own, popen={"start_new_session": not WINDOWS})
    try:
        printed = ""
        while not (address := re.search(r"http://127\.0\.0\.1:\S+", printed)):
            line = lab.stderr.readline()
            assert line, printed
            printed += line
        page = None
        while page is None:
            # JupyterLab says its address shortly before it listens there.
            with contextlib.suppress(urllib.error.URLError):
                page = urllib.request.urlopen(address.group(), timeout=60).read().decode()
            assert lab.poll() is None, printed + lab.stderr.read()
        assert "<title>JupyterLab</title>" in page
        assert "/lab/tree/work/00_start_here.ipynb" in address.group()
        # The second one is told the same address, up to the name of this computer.
        status, out, error = new_course.call("lab", *words, **own)
        assert status == 0 and "open already" in out
        assert address.group().partition("127.0.0.1")[2] in out
    finally:
        if WINDOWS:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(lab.pid)], capture_output=True)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(lab.pid, signal.SIGTERM)
        lab.communicate(timeout=60)
