"""The launcher through its command line: making `.venv`, and each way in which that can fail."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from shlex import quote

import pytest
from launcher_course import (
    FOLDER,
    WINDOWS,
    Course,
    echoed,
    make_wheel,
    only_posix,
    works,
    write,
)

from tools.setup import environment
from tools.setup.console import CourseError
from utils import SUPPORTED

full = pytest.mark.full


@pytest.fixture(scope="module")
def real_course(tmp_path_factory):
    """A course set up by the real venv and pip, from packages in wheels/."""
    real = Course(tmp_path_factory.mktemp("real"), fake=False)
    make_wheel(real.root / "wheels", "probe")
    make_wheel(real.root / "wheels", "maintainers_probe")
    real.succeeds("solved")
    return real


# -- The set-up --------------------------------------------------------------------------------


@full
def test_real_set_up_installs_and_next_start_is_ready(real_course):
    library = "import probe, sys; print(probe.__file__)"
    started = echoed(real_course.succeeds("solved"))
    done = subprocess.run([started["python"], "-c", library], capture_output=True, encoding="utf-8")
    assert FOLDER in done.stdout
    ready = json.loads(real_course.ready.read_text("utf-8"))
    assert ready["python"] == "{}.{}".format(*sys.version_info)
    assert os.path.samefile(ready["folder"], real_course.root)
    assert "Set up" not in real_course.succeeds("solved")


@full
def test_lint_installs_the_maintainers_tools_once(real_course):
    write(real_course.root / "tools" / "requirements.txt", "maintainers_probe==1.0\n")
    assert "tools" in real_course.succeeds("lint")
    assert "tools" not in real_course.succeeds("lint").replace("tools/", "")


def test_site_installs_the_maintainers_tools_and_solved_does_not(made_course):
    said = "Installing the tools that this command needs (once"
    assert said not in made_course.succeeds("solved")
    assert said in made_course.succeeds("site")
    assert said not in made_course.succeeds("site")


@full
def test_no_network_is_said_and_costs_nothing(real_course):
    before = real_course.ready.read_bytes()
    packages = real_course.root / "wheels"
    packages.rename(real_course.root / "elsewhere")
    wanted = (real_course.root / "requirements.txt").read_text("utf-8")
    write(real_course.root / "requirements.txt", wanted + "second_probe==1.0\n")
    try:
        # Port 9 of this machine: nobody answers there.
        error = real_course.fails("solved", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    finally:
        (real_course.root / "elsewhere").rename(packages)
        write(real_course.root / "requirements.txt", wanted)
    assert "no connection to the package index" in error and "install.log" in error
    # The old list of packages is still installed, so with it the course opens offline.
    assert real_course.ready.read_bytes() == before
    assert "Set up" not in real_course.succeeds("solved")


def test_second_start_calls_pip_no_more(made_course):
    assert len(made_course.pip_calls()) == 1
    out = made_course.succeeds("solved")
    assert len(made_course.pip_calls()) == 1
    assert len(out.strip().splitlines()) == 1


def test_changed_requirements_are_installed_in_place(made_course):
    write(made_course.root / "requirements.txt", "probe==2.0\n")
    assert "list of packages has changed" in made_course.succeeds("solved")
    assert made_course.is_same_environment()
    assert len(made_course.pip_calls()) == 2


@full
def test_windows_line_ends_are_no_change(made_course):
    path = made_course.root / "requirements.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    made_course.succeeds("solved")
    assert len(made_course.pip_calls()) == 1


def test_moved_folder_mends_itself(made_course):
    new = made_course.root.parent / "an einem anderen Ort"
    made_course.root.rename(new)
    made_course.root = new
    assert "moved" in made_course.succeeds("solved")
    assert not made_course.is_same_environment()
    assert os.path.samefile(json.loads(made_course.ready.read_text("utf-8"))["folder"], new)


STOPPED = {
    "pip fails": {"PIP_FAILS": "1", "PIP_SAYS": "ERROR: connection broken"},
    "venv fails": {"NO_ENSUREPIP": "1"},
    "keyboard": {"PIP_INTERRUPTS": "group", "popen": {"start_new_session": True}},
}


@pytest.mark.parametrize("how", STOPPED)
def test_moved_folder_loses_nothing_when_no_environment_can_be_made(made_course, how):
    if how == "keyboard" and WINDOWS:
        pytest.skip("signals of POSIX")
    write(made_course.stubs / "sitecustomize.py", "import sys\nsys.modules['virtualenv'] = None\n")
    old = made_course.root
    made_course.root = old.rename(old.parent / "elsewhere")
    status, out, error = made_course.call("solved", **STOPPED[how])
    assert status == (130 if how == "keyboard" else 1)
    assert "moved or copied: making .venv again, which needs the network" in out
    assert f"What was in .venv before is back, and works in {old}" in out
    assert how != "pip fails" or f"{made_course.venv / 'install.log'}" in error
    assert how == "venv fails" or (made_course.venv / "install.log").read_text("utf-8")
    made_course.root = made_course.root.rename(old)
    assert "Set up" not in made_course.succeeds("solved")
    assert made_course.is_same_environment()
    assert not list(made_course.root.glob(".venv.[br]*"))


def test_another_build_that_does_not_come_leaves_the_one_that_is_there(made_course):
    marker = json.loads(made_course.ready.read_text("utf-8"))
    write(made_course.ready, json.dumps({**marker, "torch": "cpu"}))
    made_course.fails("solved", "--torch", "default", PIP_FAILS="1")
    assert "Set up" not in made_course.succeeds("solved") and made_course.is_same_environment()


@pytest.mark.parametrize("when", ["making", "removing", "removing for good"])
def test_set_up_that_was_killed_is_finished(made_course, when):
    # Killed while it made another, or when that was ready and the old one not yet removed.
    old = {"removing for good": ".venv.removed"}.get(when, ".venv.before")
    if when == "making":
        made_course.venv.rename(made_course.root / old)
        write(made_course.venv / "course-begun.json", "{}")
    else:
        write(made_course.root / old / "course-ready.json", '{"torch": "old"}')
    calls = made_course.pip_calls()
    made_course.succeeds("solved")
    assert made_course.is_same_environment() and made_course.pip_calls() == calls
    assert not list(made_course.root.glob(".venv.[br]*"))


@full
@only_posix
def test_folder_reached_by_a_link_is_not_moved(made_course):
    link = made_course.root.parent / "link"
    link.symlink_to(made_course.root)
    made_course.root = link
    made_course.succeeds("solved")
    assert made_course.is_same_environment()


@pytest.mark.parametrize("damage", ["missing", "cut", "other Python", "no interpreter"])
def test_marker_that_does_not_fit_means_again(made_course, damage):
    content = made_course.ready.read_text("utf-8")
    if damage == "missing":
        made_course.ready.unlink()
    elif damage == "cut":
        write(made_course.ready, content[: len(content) // 2])
    elif damage == "other Python":
        write(made_course.ready, re.sub(r'"python": "[\d.]+"', '"python": "3.4"', content))
    else:
        shutil.rmtree(made_course.venv / ("Scripts" if WINDOWS else "bin"))
    made_course.succeeds("solved")
    assert not made_course.is_same_environment()
    assert not list(made_course.root.glob(".venv.removed*"))


@full
@only_posix
def test_environment_makes_itself_again_when_its_own_python_starts_it(made_course):
    made_course.ready.unlink()
    made_course.succeeds("solved", python=str(made_course.venv / "bin" / "python"))
    assert not made_course.is_same_environment()


@pytest.mark.parametrize("name", [None, "course-begun.json.new", "pyvenv.cfg"])
def test_environment_that_was_only_begun_is_made_again(new_course, name):
    new_course.venv.mkdir()
    if name:
        write(new_course.venv / name, "")
    new_course.succeeds("solved")


@full
def test_removal_that_was_interrupted_is_finished(made_course):
    write(made_course.root / ".venv.removed" / "bin" / "python", "")
    made_course.ready.unlink()
    made_course.succeeds("solved")
    assert not (made_course.root / ".venv.removed").exists()


def test_torch_for_the_cpu_comes_first_and_stays(new_course):
    write(new_course.root / "requirements.txt", "probe==1.0\ntorch==2.13.0 # pinned\n")
    new_course.succeeds("solved", "--torch", "cpu")
    calls = new_course.pip_calls()
    if sys.platform.startswith("linux"):
        assert len(calls) == 2
        assert "torch==2.13.0" in calls[0] and "--requirement" not in calls[0]
        assert "https://download.pytorch.org/whl/cpu" in calls[0]
    else:
        assert len(calls) == 1
    assert "--requirement" in calls[-1]
    # Not asked again, the choice stays, also when packages change.
    new_course.succeeds("solved")
    assert len(new_course.pip_calls()) == len(calls)
    write(new_course.root / "requirements.txt", "probe==2.0\ntorch==2.13.0\n")
    new_course.succeeds("solved")
    assert len(new_course.pip_calls()) == 2 * len(calls)


def test_here_uses_the_running_python_and_installs_nothing(new_course):
    write(new_course.root / "requirements.txt", "pytest==0.0.1\n")
    out = new_course.succeeds("solved", "--here")
    assert echoed(out)["python"] == sys.executable
    assert "pytest" in out and "0.0.1" in out
    assert not new_course.venv.exists()


def test_here_says_what_is_missing_and_the_command(new_course):
    write(new_course.root / "requirements.txt", "pytest==0.0.1\nno_such_probe==1.0\n")
    error = new_course.fails("solved", "--here")
    path = new_course.root / "requirements.txt"
    assert "no_such_probe" in error
    typed = subprocess.list2cmdline([path]) if WINDOWS else quote(str(path))
    assert f"-m pip install -r {typed}" in error
    status, out, _ = new_course.call("check", "--here")
    assert status == 1 and out.count("no_such_probe") == 1 and "course.py lab" not in out
    assert error.partition("with: ")[2].partition(" (or")[0] in out
    assert not new_course.venv.exists() and not new_course.pip_calls()


def test_packages_in_the_folder_wheels_need_no_network(new_course):
    make_wheel(new_course.root / "wheels", "probe")
    new_course.succeeds("solved")
    (call,) = new_course.pip_calls()
    assert call[call.index("--find-links") + 1] == str(new_course.root / "wheels")
    assert "--no-index" in call


# -- Where it cannot go on ---------------------------------------------------------------------


def test_failure_of_pip_is_one_sentence_and_mends_itself(new_course):
    says = "WARNING: Retrying after connection broken by X\nERROR: No space left on device: 'ä'"
    error = new_course.fails("solved", PIP_SAYS=says, PIP_FAILS="1")
    assert "no space left" in error and "install.log" in error
    assert says in (new_course.venv / "install.log").read_text("utf-8")
    assert not new_course.ready.exists()
    new_course.succeeds("solved", PIP_SAYS="WARNING: Retrying after connection broken by X")


@pytest.mark.parametrize("with_cuda", [True, False])
def test_too_little_space_is_said(tmp_path, monkeypatch, with_cuda):
    write(tmp_path / "requirements.txt", "torch==2.13.0\n")
    write(tmp_path / ("nvidia_a.whl" if with_cuda else "a.whl"), "")
    monkeypatch.setattr(environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(environment.wheels, "FOLDER", tmp_path)
    monkeypatch.setattr(environment.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CourseError) as error:
        environment.check_space("default")
    assert "1.0 GB left" in str(error.value) and "free some space" in str(error.value)
    # The wheels in the folder decide, and no choice of torch.
    assert f"needs about {8 if with_cuda else 2} GB" in str(error.value)
    assert "--torch cpu" not in str(error.value) and ".venv" not in str(error.value)
    # What is kept until another is ready also takes space.
    monkeypatch.setattr(environment, "KEPT", tmp_path)
    with pytest.raises(CourseError, match="the folder .venv, may go"):
        environment.check_space("default")


def test_no_ensurepip_names_the_command_that_mends_it(new_course):
    write(new_course.stubs / "sitecustomize.py", "import sys\nsys.modules['virtualenv'] = None\n")
    error = new_course.fails("solved", NO_ENSUREPIP="1")
    assert "ensurepip" in error
    if sys.platform.startswith("linux"):
        assert "sudo apt install python{}.{}-venv".format(*sys.version_info) in error
    assert not new_course.venv.exists()
    new_course.succeeds("solved")


@full
def test_no_ensurepip_takes_virtualenv(new_course):
    (new_course.stubs / "virtualenv_off").rename(new_course.stubs / "virtualenv")
    write(new_course.stubs / "virtualenv" / "__init__.py", "")
    new_course.succeeds("solved", NO_ENSUREPIP="1")


@full
@only_posix
def test_environment_that_is_a_link_is_left_alone(new_course):
    elsewhere = new_course.root.parent / "elsewhere"
    write(elsewhere / "pyvenv.cfg", "precious")
    new_course.venv.symlink_to(elsewhere)
    assert "link" in new_course.fails("solved")
    assert (elsewhere / "pyvenv.cfg").read_text("utf-8") == "precious"
    assert new_course.venv.is_symlink()


def test_folder_of_somebody_else_is_left_alone(new_course):
    write(new_course.venv / "thesis.txt", "precious")
    assert "rename it" in new_course.fails("solved")
    assert [path.name for path in new_course.venv.iterdir()] == ["thesis.txt"]


@full
def test_file_in_the_environments_place_is_left_alone(new_course):
    write(new_course.venv, "precious")
    assert "rename it" in new_course.fails("solved")
    assert new_course.venv.read_text("utf-8") == "precious"


def test_environment_stays_where_a_package_does_not_serve(made_course):
    target = {"system": "BeOS", "machine": "", "python": "3.11", "text": "BeOS", "torch": ""}
    content = {"tools": False, "targets": [{**target, "wheels": []}], "wheels": {}}
    write(made_course.root / "wheels" / "manifest.json", json.dumps(content))
    write(made_course.root / "requirements.txt", "probe==2.0\n")
    assert "was made for BeOS" in made_course.fails("solved")
    assert made_course.is_same_environment() and made_course.ready.exists()


@pytest.fixture
def open_folder():
    """A folder that every user can enter: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@only_posix
@pytest.mark.parametrize("command", [["lab"], ["solved"], ["reset", "01"], ["check"]])
def test_folder_that_may_not_be_written(open_folder, command):
    read_only = Course(open_folder)
    for path in [read_only.root, *read_only.root.rglob("*"), read_only.stubs]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    python, popen = sys.executable, {}
    if os.geteuid() == 0:
        # No permission binds root, so another user tries it: with a Python open to that user.
        popen = {"user": 65534, "group": 65534, "extra_groups": []}
        python = next((path for path in pythons() if works(path, **popen)), None)
        if python is None:
            pytest.skip("runs as root, and no Python here is open to another user")
    try:
        status, out, error = read_only.call(*command, python=python, popen=popen)
    finally:
        for path in [read_only.root, *read_only.root.rglob("*")]:
            path.chmod(0o755)
    assert status == 1
    if command == ["check"]:
        assert "cannot be written" in out
    else:
        assert "may not be written" in error and len(error.strip().splitlines()) == 1


def pythons():
    """Return the Pythons that could be open to every user."""
    names = ["{}.{}".format(*version) for version in SUPPORTED]
    return [sys.executable] + [f"{folder}/python{n}" for folder in ("/usr/bin",) for n in names]


# -- Stopping, and two at once -----------------------------------------------------------------


@only_posix
@pytest.mark.parametrize("whom", ["group", "launcher"])
def test_keyboard_stops_an_install_and_the_next_start_mends_it(new_course, whom):
    # The stand-in for pip interrupts its whole group, as the keyboard does, or the launcher alone.
    status, out, error = new_course.call(
        "solved", PIP_INTERRUPTS=whom, PIP_SAYS="Collecting a", popen={"start_new_session": True}
    )
    assert status == 130 and "Stopped. Nothing is broken" in error
    assert not new_course.ready.exists()
    assert "not complete" in new_course.succeeds("solved")


@only_posix
@pytest.mark.parametrize("says", ["Collecting a", "Installing collected packages: a"])
def test_keyboard_stops_a_change_of_packages(made_course, says):
    before = made_course.ready.read_bytes()
    write(made_course.root / "requirements.txt", "probe==2.0\n")
    status, _, error = made_course.call(
        "solved", PIP_INTERRUPTS="launcher", PIP_SAYS=says, popen={"start_new_session": True}
    )
    assert status == 130 and "Stopped" in error
    write(made_course.root / "requirements.txt", "probe==1.0\n")
    made_course.succeeds("solved")
    # While packages were only collected, the environment is as before; later it is made again.
    assert made_course.is_same_environment() == says.startswith("Collecting")
    assert made_course.is_same_environment() == (made_course.ready.read_bytes() == before)


@full
@only_posix
def test_keyboard_stops_what_was_started(made_course):
    write(
        made_course.root / "pytest.py",
        "import os, signal, sys, threading\n"
        "try:\n    os.killpg(os.getpgid(0), signal.SIGINT)\n    threading.Event().wait()\n"
        "except KeyboardInterrupt:\n    sys.exit(2)\n",
    )
    status, _, error = made_course.call("test", popen={"start_new_session": True})
    assert status == 130 and "Stopped. Nothing is broken" in error


@only_posix
def test_keyboard_stops_a_program_that_still_imports(made_course):
    write(
        made_course.root / "tools" / "bench.py",
        "import os, signal, threading\n"
        "os.killpg(os.getpgid(0), signal.SIGINT)\nthreading.Event().wait()\n",
    )
    status, _, error = made_course.call("bench", popen={"start_new_session": True})
    assert status == 130 and error.strip().startswith("Stopped. Nothing is broken")


@full
@only_posix
def test_interrupt_that_reaches_the_launcher_alone_is_passed_on(made_course):
    write(
        made_course.root / "pytest.py",
        "import os, signal, sys, threading\n"
        "try:\n    os.kill(os.getppid(), signal.SIGINT)\n    threading.Event().wait()\n"
        "except KeyboardInterrupt:\n    sys.exit(2)\n",
    )
    assert made_course.call("test", popen={"start_new_session": True})[0] == 130


HOLD = """
import os, sys
from tools.setup import environment
with environment.only_one_set_up():
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


def holder(new_course):
    """Start a process that holds the lock until its input ends. Return it and its number."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=new_course.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return process, process.stdout.readline().strip()


@full
def test_second_start_waits_for_the_first(new_course):
    first, number = holder(new_course)
    second = new_course.start("solved")
    line = second.stdout.readline()
    assert "Another start is setting up" in line and f"(process {number})" in line
    assert not new_course.pip_calls()
    first.communicate("")
    out, error = second.communicate(timeout=60)
    assert second.returncode == 0, error
    assert len(new_course.pip_calls()) == 1


@full
def test_second_start_finds_what_the_first_has_made(made_course):
    ready = made_course.ready.read_bytes()
    made_course.ready.unlink()
    first, _ = holder(made_course)
    second = made_course.start("solved")
    assert "Another start" in second.stdout.readline()
    made_course.ready.write_bytes(ready)
    first.communicate("")
    out, error = second.communicate(timeout=60)
    assert second.returncode == 0 and "Set up" not in out, error
    assert made_course.is_same_environment()


@full
def test_lock_of_a_start_that_was_killed_is_free(new_course):
    first, number = holder(new_course)
    first.kill()
    first.communicate()
    assert number.isdecimal() and (new_course.root / ".venv.lock").exists()
    assert "Another start" not in new_course.succeeds("solved")
