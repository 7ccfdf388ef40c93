"""What `course.py check` finds of the set-up: one line each, with its fix. Installs nothing.

Standard library only. The packages and the data are looked at by `python -m utils.machine`.
"""

import platform
import shutil
import sys
import tempfile
from pathlib import Path

from tools.settings import LAUNCHER
from tools.setup import environment, wheels
from tools.setup.console import CourseError, explain, say
from utils.machine import sign


def report(here=False):
    """Print one line per finding. Return whether there is an environment to look into."""
    findings = [
        (True, f"Python {platform.python_version()} ({sys.executable})"),
        written_to(environment.ROOT),
    ]
    if here:
        findings.append(packages_here())
    else:
        findings += [free_space(), environment_found()]
        if wheels.found() and not environment.is_complete():
            findings.append(packages_found())
    for good, text in findings:
        say(f"{sign(good)} {text}")
    return all(good for good, _ in findings)


def packages_here():
    """Return whether the running Python has all packages, in whatever version, and a sentence."""
    missing, _, command = environment.look_at_running_python()
    if missing:
        return False, f"This Python lacks {', '.join(missing)}: install with {command}"
    return True, "The running Python is used as it is (--here)"


def packages_found():
    """Return whether the folder wheels/ can set up this machine, and a sentence."""
    try:
        wheels.check()
    except CourseError as error:
        return False, str(error)
    return True, "The folder wheels is there: the set-up needs no network"


def python_and_variables(here=False):
    """Return (Python's path, variables) of the environment that was looked at."""
    return environment.running_python() if here else environment.course_python()


def written_to(folder):
    """Return whether files can be made in the course's folder, and a sentence."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True, f"This folder can be written: {folder}"
    except OSError as error:
        return False, f"This folder cannot be written: {folder}. {explain(error)}"


def free_space():
    """Return whether the disk holds what is still to be installed, and a sentence."""
    free = shutil.disk_usage(environment.ROOT).free / environment.GIGABYTE
    needed = 0.0
    if environment.rebuild_reason():
        needed = environment.needed_space(torch=None) / environment.GIGABYTE
    if free < 0.75 * needed:
        return False, (
            f"Free disk space: {free:.1f} GB, and the set-up takes about {needed:.0f} GB: free some"
        )
    return True, f"Free disk space: {free:.1f} GB"


def environment_found():
    """Return whether `.venv` is complete, and a sentence."""
    fix = f"type {LAUNCHER} lab"
    if not Path(environment.VENV).exists():
        return False, f"The environment .venv is not made yet: {fix}"
    reason = environment.rebuild_reason()
    if reason:
        return False, f"{reason.partition(':')[0]}, so .venv must be made again: {fix}"
    if not environment.is_complete():
        return False, f"The list of packages has changed: {fix}"
    return True, "The environment .venv is complete"
