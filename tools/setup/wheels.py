"""The folder `wheels/` of a package: which machines it serves, and whether it is whole.

`course.py pack` makes it, with `wheels/manifest.json` (see tools/pack.py). A folder that was
filled by hand has no manifest: it is installed from too, and only pip finds out what it lacks.
Standard library only: `course.py` uses this before anything is installed.
"""

import hashlib
import json
import os
import platform
import sys
import sysconfig

from tools.settings import LAUNCHER, ROOT
from tools.setup.console import CourseError

FOLDER = ROOT / "wheels"
MANIFEST = FOLDER / "manifest.json"

AGAIN = "copy the whole package again from where you got it"
WITH_A_NETWORK = "where there is a network, rename the folder wheels and start again"


def found():
    """Return whether there is a folder to install from without a network."""
    return MANIFEST.exists() or any(FOLDER.glob("*.whl"))


def bring_cuda():
    """Return whether the folder holds the libraries of PyTorch's CUDA build."""
    return any(FOLDER.glob("nvidia_*.whl"))


def pip_itself():
    """Return the path of pip's wheel, for a Python without ensurepip; None without one."""
    return max(FOLDER.glob("pip-*-py3-none-any.whl"), default=None)


def manifest():
    """Return what the package says of itself, None for a folder that was filled by hand.

    `targets` lists {system, machine, python, text, torch, wheels}, `wheels` maps file names to
    {bytes, sha256}, and `tools` says whether the maintainers' tools are there.
    Raises CourseError if the file is damaged.
    """
    if not MANIFEST.exists():
        return None
    try:
        content = json.loads(MANIFEST.read_text(encoding="utf-8"))
        assert_complete(content)
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f"The package's wheels/manifest.json is damaged: {AGAIN}.") from error
    return content


def assert_complete(content):
    """Raise KeyError or TypeError unless a manifest has all that is read from it."""
    for target in content["targets"]:
        for name in ("system", "machine", "python", "text", "torch"):
            str.strip(target[name])
        for name in target["wheels"]:
            content["wheels"][name]["bytes"], content["wheels"][name]["sha256"]
    content["tools"]


# -- This machine ------------------------------------------------------------------------------


def this_machine():
    """Return (system, machine, Python's version) in the words of a manifest."""
    # On Windows a Python for Intel also runs on ARM, and needs packages for Intel.
    intel = os.name == "nt" and sysconfig.get_platform() == "win-amd64"
    machine = "AMD64" if intel else platform.machine()
    return platform.system(), machine, "{}.{}".format(*sys.version_info)


def described(targets):
    """Return in words which machines are served, for example "Windows with Python 3.11"."""
    texts = dict.fromkeys(target["text"] for target in targets)
    pythons = dict.fromkeys(target["python"] for target in targets)
    return f"{listed(texts)} with Python {listed(pythons, 'or')}"


def listed(words, last="and"):
    """Return words as a sentence lists them: a, b and c."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def this_machine_described():
    """Return in words what this machine is, for example "Linux x86_64 with Python 3.11"."""
    system, machine, python = this_machine()
    return f"{'macOS' if system == 'Darwin' else system} {machine} with Python {python}"


# -- Does it serve, and is it whole? -----------------------------------------------------------


def check(torch=None, with_tools=False):
    """Raise CourseError unless the package can set up this machine, as asked for.

    Every wheel that this machine needs is read and compared with its checksum.
    """
    content = manifest()
    if content is None:
        return
    target = fitting(content["targets"])
    if with_tools and not content["tools"]:
        raise CourseError(
            "This package does not hold the maintainers' tools, which this command needs: make it "
            f"with {LAUNCHER} pack --tools, or, {WITH_A_NETWORK}."
        )
    small = target["torch"].endswith("+cpu")
    if target["system"] == "Linux" and torch and small != (torch == "cpu"):
        build = "the small build of PyTorch" if small else "PyTorch's build with CUDA"
        raise CourseError(
            f"This package holds {build} only: leave out --torch, or make another package with "
            f"{LAUNCHER} pack --torch {torch}."
        )
    check_whole({name: content["wheels"][name] for name in target["wheels"]})


def fitting(targets):
    """Return the target that this machine is. Raises CourseError if it is none of them."""
    system, machine, python = this_machine()
    here = [t for t in targets if (t["system"], t["machine"]) == (system, machine)]
    for target in here:
        if target["python"] == python:
            return target
    sentence = (
        f"This package was made for {described(targets)}, and this is {this_machine_described()}: "
    )
    if here:
        start = "py -{}" if os.name == "nt" else "python{}"
        command = f"{start.format(here[-1]['python'])} course.py lab"
        raise CourseError(
            f"{sentence}type {command} (where that Python is missing, it is at "
            f"https://www.python.org/downloads/), or, {WITH_A_NETWORK}."
        )
    raise CourseError(
        f"{sentence}make a package for it on a machine with a network ({LAUNCHER} pack --help "
        f"says how), or, {WITH_A_NETWORK}."
    )


def check_whole(expected):
    """Raise CourseError, with their names, if wheels are missing, cut short or altered."""
    wrong = {}
    for name, published in expected.items():
        path = FOLDER / name
        if not path.is_file():
            wrong[name] = "is missing"
        elif path.stat().st_size != published["bytes"]:
            wrong[name] = f"is damaged ({path.stat().st_size:,} of {published['bytes']:,} bytes)"
        elif fingerprint(path) != published["sha256"]:
            wrong[name] = "is damaged (its checksum is another)"
    if wrong:
        name, problem = next(iter(wrong.items()))
        more = f", and {len(wrong) - 1} more of {len(expected)} are not right" * (len(wrong) > 1)
        raise CourseError(
            f"The package is not whole: wheels/{name} {problem}{more}. Please {AGAIN}."
        )


def fingerprint(path):
    """Return the sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lacks(requirement):
    """Return the sentence for a requirement that pip did not find in the folder."""
    content = manifest()
    made = f" (it was made for {described(content['targets'])})" if content else ""
    return (
        f"The folder wheels{made} holds no {requirement} for {this_machine_described()}: add what "
        f"is missing, or, {WITH_A_NETWORK}."
    )
