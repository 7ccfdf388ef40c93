"""The course's own Python environment: `.venv`, made once and repaired when it no longer fits.

Standard library only: `course.py` runs this with whatever Python the reader has.
A marker, `.venv/course-ready.json`, is written last. Whatever interrupts the set-up, a missing or
wrong marker makes the next start do it again.
"""

import contextlib
import errno
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.settings import LAUNCHER, ROOT
from tools.setup import wheels
from tools.setup.console import CourseError, say
from tools.setup.installation import cause_of, has_begun, run_pip
from utils.machine import required, sign

VENV = ROOT / ".venv"
KEPT = ROOT / ".venv.before"  # what was complete, while another is made in its place
REMOVED = ROOT / ".venv.removed"
LOCK = ROOT / ".venv.lock"
BEGUN = VENV / "course-begun.json"
READY = VENV / "course-ready.json"
TOOLS_READY = VENV / "course-tools-ready.json"
LOG = VENV / "install.log"
REQUIREMENTS = ROOT / "requirements.txt"
TOOLS_REQUIREMENTS = ROOT / "tools" / "requirements.txt"

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
GIGABYTE = 1e9


def environment_python():
    """Return the path of the Python in `.venv`, which need not exist."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment_variables():
    """Return the variables for a program in `.venv`: its programs first, nobody else's modules."""
    variables = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__"):
        variables.pop(name, None)
    variables["VIRTUAL_ENV"] = str(VENV)
    programs = str(environment_python().parent)
    variables["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    return variables


# -- What is there -----------------------------------------------------------------------------


def fingerprint(path):
    """Return the sha256 of a text file, the same for both kinds of line ends."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode("utf-8")).hexdigest()


def read_marker(path):
    """Return what a marker says; an empty dictionary for a missing or damaged one."""
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def write_marker(path, content):
    """Write a marker whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def same_folder(path):
    """Return whether `path` is the course's folder, by whichever way it is reached."""
    try:
        return os.path.samefile(path, ROOT)
    except (OSError, TypeError, ValueError):
        return False


def rebuild_reason(torch=None):
    """Return why `.venv` must be made from nothing, as a sentence; None if it need not."""
    marker = read_marker(READY)
    takes = "some minutes" if wheels.found() else "the network and some minutes"
    again = f"making .venv again, which needs {takes}."
    if not VENV.is_dir():
        return "Setting up the course in .venv (once; this takes some minutes)."
    if not marker or not environment_python().exists():
        return f"The set-up is not complete: {again}"
    if not same_folder(marker.get("folder")):
        return f"The course folder was moved or copied: {again}"
    if marker.get("python") != VERSION:
        return f"Python is now {VERSION}, it was {marker.get('python')}: {again}"
    if torch and flavour(torch) != marker.get("torch"):
        return f"Another build of PyTorch is asked for: {again}"
    return None


def is_current(path, marker):
    """Return whether a requirements file is the one that the marker was written for."""
    return read_marker(marker).get("requirements") == fingerprint(path)


def is_complete(torch=None, with_tools=False):
    """Return whether nothing is to be done before a program can start in `.venv`."""
    return (
        rebuild_reason(torch) is None
        and is_current(REQUIREMENTS, READY)
        and (not with_tools or is_current(TOOLS_REQUIREMENTS, TOOLS_READY))
    )


def left_over():
    """Return whether a set-up was stopped before it had put back or removed what was before."""
    return KEPT.is_dir() or REMOVED.is_dir()


def flavour(torch):
    """Return the build of torch that is meant: only on Linux, with a network, is there a choice."""
    choice = sys.platform.startswith("linux") and not wheels.found()
    return "cpu" if torch == "cpu" and choice else "default"


def needed_space(torch):
    """Return the bytes that a new environment takes, about; 0 if it holds no torch."""
    if "torch" not in required(REQUIREMENTS):
        return 0
    with_cuda = (
        sys.platform.startswith("linux")
        and platform.machine() in ("x86_64", "aarch64")
        and flavour(torch) == "default"
        and (wheels.bring_cuda() or not wheels.found())
    )
    return (8 if with_cuda else 2) * GIGABYTE


# -- The set-up --------------------------------------------------------------------------------


def prepare(torch=None, here=False, with_tools=False):
    """Make sure that the environment is complete. Return (Python's path, variables) to run it.

    `torch="cpu"` takes the small build on Linux, `here` the running Python as it is, and
    `with_tools` adds what maintainers need. Raises CourseError with the cause in one sentence.
    """
    if here:
        check_running_python(with_tools)
        return running_python()
    if left_over() or not is_complete(torch, with_tools):
        refuse_foreign_folder()
        with only_one_set_up() as lock:
            # Whoever held the lock may have done it all meanwhile.
            if left_over() or not is_complete(torch, with_tools):
                set_up(torch, with_tools, lock)
    return course_python()


def course_python():
    """Return (Python's path, variables) of `.venv`, complete or not."""
    return environment_python(), environment_variables()


def running_python():
    """Return (Python's path, variables) of the Python that runs this."""
    return Path(sys.executable), dict(os.environ)


def set_up(torch, with_tools, lock):
    """Make or repair `.venv`. The caller holds the lock."""
    started = time.monotonic()
    # Before anything is removed. What is there already needs nothing from a package.
    wheels.check(torch, with_tools and not is_current(TOOLS_REQUIREMENTS, TOOLS_READY))
    finish()
    if torch is None:
        # What was chosen once holds until another choice is made.
        torch = (read_marker(READY) or read_marker(BEGUN)).get("torch")
    reason = rebuild_reason(torch)
    marker = {
        "requirements": fingerprint(REQUIREMENTS),
        "python": VERSION,
        "folder": str(ROOT),
        "torch": flavour(torch),
    }
    if reason:
        say(reason)
        with kept_until_ready():
            check_space(torch)
            make_environment({"torch": flavour(torch)})
            install(course_steps(torch), lock)
            write_marker(READY, marker)
    elif not is_current(REQUIREMENTS, READY):
        say("The list of packages has changed: bringing .venv up to date.")
        os.replace(READY, BEGUN)
        try:
            install(course_steps(torch), lock)
        except BaseException:
            if not has_begun(LOG):
                # What was complete before still is.
                os.replace(BEGUN, READY)
            raise
        write_marker(READY, marker)
    BEGUN.unlink(missing_ok=True)
    if with_tools and not is_current(TOOLS_REQUIREMENTS, TOOLS_READY):
        say("Installing the tools that this command needs (once; this takes a minute or two).")
        constraint = ["--constraint", str(REQUIREMENTS)]
        install([["--requirement", str(TOOLS_REQUIREMENTS), *constraint]], lock)
        write_marker(TOOLS_READY, {"requirements": fingerprint(TOOLS_REQUIREMENTS)})
    say(f"{sign(True)} Set up in {time.monotonic() - started:.0f} s.")


def check_running_python(with_tools):
    """Say what the running Python lacks; raises CourseError if a package is missing."""
    missing, other, command = look_at_running_python(with_tools)
    if missing:
        raise CourseError(
            f"This Python lacks {', '.join(missing)}. Install with: {command} "
            f"(or leave out --here, and the course makes an environment of its own)."
        )
    if other:
        say(
            f"Other versions than the course's, so printed digits may differ: {', '.join(other)}. "
            f"The course's own: {command}"
        )


def look_at_running_python(with_tools=False):
    """Return (packages missing, packages of another version, the command that installs them)."""
    wanted = required(REQUIREMENTS)
    if with_tools:
        wanted.update(required(TOOLS_REQUIREMENTS))
    missing, other = [], []
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        # A build's own suffix, as in 2.13.0+cpu, is no other version.
        if found.partition("+")[0] != version:
            other.append(f"{name} {found} (the course: {version})")
    # Whole paths: the command is typed wherever the course was started from.
    files = ["-r", str(REQUIREMENTS)] + (["-r", str(TOOLS_REQUIREMENTS)] if with_tools else [])
    words = [sys.executable, "-m", "pip", "install", *files]
    command = subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
    return missing, other, command


def course_steps(torch):
    """Return pip's arguments, one list for each run of it."""
    everything = ["--requirement", str(REQUIREMENTS)]
    version = required(REQUIREMENTS).get("torch")
    if flavour(torch) == "cpu" and version:
        return [[f"torch=={version}", "--index-url", TORCH_CPU_INDEX], everything]
    return [everything]


def install(steps, lock):
    """Run pip in `.venv` for each step. Raises CourseError with the cause in one sentence."""
    LOG.unlink(missing_ok=True)
    for step in steps:
        if wheels.found():
            step = ["--no-index", "--find-links", str(wheels.FOLDER), *step]
        run_pip(environment_python(), ["install", *step], environment_variables(), LOG, lock)


# -- One set-up at a time, and only in a folder of ours ----------------------------------------


def only_one_set_up():
    """Hold the lock on `.venv`, waiting for another start that holds it."""
    return only_one(LOCK, "setting up the course")


@contextlib.contextmanager
def only_one(path, doing):
    """Hold the lock on a file, waiting for another start that holds it; `doing` says what it does.

    The lock is the system's own: it ends with the process that holds it, so it is never stale.
    """
    with open(path, "a+", encoding="utf-8") as lock:
        waiting = False
        while not try_lock(lock):
            if not waiting:
                lock.seek(0)
                holder = lock.read(20).strip() or "unknown"
                say(f"Another start is {doing} (process {holder}): waiting for it.")
                waiting = True
            time.sleep(0.5)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock


def try_lock(lock):
    """Return whether the lock is ours now. File systems without locks are taken as free."""
    try:
        if os.name == "nt":
            import msvcrt

            # One byte far behind the text, since Windows lets nobody else read a locked byte.
            lock.seek(1 << 20)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Windows means that another process has it.
        return os.name != "nt"
    return True


def refuse_foreign_folder():
    """Raise CourseError unless `.venv` is missing or a folder that may be removed."""
    real = os.path.join(os.path.realpath(ROOT), ".venv")
    if os.path.normcase(os.path.realpath(VENV)) != os.path.normcase(real):
        raise CourseError(
            ".venv is a link to another place, so the course leaves it alone: "
            "remove the link, then start again."
        )
    if not os.path.lexists(VENV):
        return
    if not VENV.is_dir():
        raise CourseError(".venv is a file, not a folder: rename it, then start again.")
    # The first of our files may be half-written, on a disk that was full.
    ours = (VENV / "pyvenv.cfg").exists() or any(VENV.glob("course-*.json*"))
    if not ours and any(VENV.iterdir()):
        raise CourseError(
            "The folder .venv holds something else than a Python environment, so the course "
            "leaves it alone: rename it, then start again."
        )


@contextlib.contextmanager
def kept_until_ready():
    """Keep a complete `.venv` while another is made; put it back if that is stopped or fails."""
    if read_marker(READY):
        move(VENV, KEPT)
    else:
        remove_environment()
    try:
        yield
    except BaseException:
        # Where something in the new one is still in use (Windows), the next start does it.
        with contextlib.suppress(OSError, CourseError):
            put_back()
        raise
    finish()


def finish():
    """Remove what a set-up has kept if another is ready; else, it was killed, put it back."""
    if not read_marker(READY):
        put_back()
    # What cannot be removed yet (Windows, a virus scanner) keeps nobody from a course that works.
    with contextlib.suppress(OSError, CourseError):
        remove(KEPT)


def put_back():
    """Give `.venv` back as it was before, if that was kept; what pip last wrote goes with it."""
    if KEPT.is_dir():
        with contextlib.suppress(FileNotFoundError):
            os.replace(LOG, KEPT / LOG.name)
        remove_environment()
        os.rename(KEPT, VENV)
        say(f"What was in .venv before is back, and works in {read_marker(READY).get('folder')}")


def remove_environment():
    """Remove `.venv`: all of it or, while another program uses it (Windows), nothing."""
    refuse_foreign_folder()
    remove(VENV)


def remove(folder):
    """Remove an environment, and what an interrupted removal has left."""
    if REMOVED.is_dir():
        shutil.rmtree(REMOVED)
    if folder.is_dir():
        # Renamed first: an interrupted removal must not leave a folder that looks foreign.
        move(folder, REMOVED)
        shutil.rmtree(REMOVED)


def move(folder, target):
    """Rename an environment. Raises CourseError while another program uses it (Windows)."""
    try:
        os.rename(folder, target)
    except PermissionError as error:
        if os.name != "nt":
            raise
        raise CourseError(
            "Another program uses .venv: close JupyterLab (and terminals where .venv is "
            "activated), then start again."
        ) from error


def check_space(torch):
    """Raise CourseError if the disk clearly cannot hold the environment."""
    needed, free = needed_space(torch), shutil.disk_usage(ROOT).free
    if free < 0.75 * needed:
        small = ""
        if needed > 2 * GIGABYTE and not wheels.found():
            small = f", or take the build without CUDA, about 2 GB: {LAUNCHER} lab --torch cpu"
        old = " (the old environment, the folder .venv, may go)" if KEPT.is_dir() else ""
        raise CourseError(
            f"The disk has {free / GIGABYTE:.1f} GB left and the set-up needs about "
            f"{needed / GIGABYTE:.0f} GB: free some space{old}, then start again{small}."
        )


def make_environment(begun):
    """Make an empty environment in `.venv`.

    Where this Python has no ensurepip, a package's own pip makes it, or else virtualenv.
    """
    VENV.mkdir()
    write_marker(BEGUN, begun)
    python = sys.executable
    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        # Started with the Python of the .venv that was just removed.
        python = getattr(sys, "_base_executable", sys.executable)
    made, output = quiet_call([python, "-m", "venv", str(VENV)])
    # A full disk, too, is reported as a failure of ensurepip.
    if not made and "ensurepip" in output and shutil.disk_usage(ROOT).free > 0.1 * GIGABYTE:
        remove_environment()
        pip = wheels.pip_itself()
        if pip is None and importlib.util.find_spec("virtualenv") is None:
            raise CourseError(advice_without_ensurepip())
        VENV.mkdir()
        write_marker(BEGUN, begun)
        if pip:
            made, output = make_environment_with(pip, python)
        else:
            made, output = quiet_call([python, "-m", "virtualenv", str(VENV)])
    if not made:
        if shutil.disk_usage(ROOT).free <= 0.1 * GIGABYTE:
            output = os.strerror(errno.ENOSPC)
        remove_environment()
        raise CourseError(cause_of(output, "Python could not make the environment .venv"))


def make_environment_with(pip, python):
    """Make an environment whose pip comes from a wheel. Return as `quiet_call` does."""
    made, output = quiet_call([python, "-m", "venv", "--without-pip", str(VENV)])
    if not made:
        return made, output
    # A wheel is an archive that Python can run from.
    run = [str(environment_python()), str(pip / "pip")]
    return quiet_call([*run, "install", "--no-index", "--disable-pip-version-check", str(pip)])


def quiet_call(command):
    """Run a command to its end. Return (whether it succeeded, all it printed)."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    return done.returncode == 0, done.stdout


def advice_without_ensurepip():
    """Return the sentence for a Python that cannot make environments."""
    if sys.platform.startswith("linux"):
        fix = f"on Debian or Ubuntu with: sudo apt install python{VERSION}-venv"
    else:
        fix = "with Python itself, from https://www.python.org/downloads/"
    return (
        f"This Python {VERSION} cannot make environments, since its module ensurepip is missing. "
        f"Install that and start again, {fix}"
    )
