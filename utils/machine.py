"""Is this machine ready for the course? Needs nothing but Python to say so.

    python -m utils.machine      one line per finding; exit status 1 if something must be fixed

`set_up` is what every notebook calls first.
"""

import hashlib
import importlib.util
import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from utils import SUPPORTED

ROOT = Path(__file__).resolve().parents[1]
EDITION = 2  # of the notebooks that run here; it goes up when older copies cannot run any more
DATA = ROOT / "data"
RESTORE = "get it back with `git checkout -- data`, or download the course again"
INSTALL = "start the course with `python3 course.py lab`, which installs what it needs"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, and if not, what to do."""

    good: bool
    text: str
    fix: str = ""


def set_up(edition=1, threads=1):
    """Prepare a notebook: the figure style, one thread for torch, convolutions in full precision.

    One thread is the fastest for small networks, and the only choice that stays fast while another
    notebook trains on the same machine.

    Args:
        edition: the edition of the course that the notebook belongs to; those of the first do not
            say so.
        threads: number of threads that torch computes with.

    Raises:
        RuntimeError: the notebook belongs to another edition than `utils`, a package is missing in
            the Python that runs it, or a file beside the notebook has a package's name.
    """
    if edition != EDITION:
        launcher = "py course.py" if os.name == "nt" else "python3 course.py"
        raise RuntimeError(
            f"This notebook belongs to edition {edition} of the course, and the course around it "
            f"is edition {EDITION}: `{launcher} reset {running_number()}`, typed in the course's "
            "folder, gives a fresh one and keeps yours as a backup."
        )
    missing = [name for name in required() if name in IMPORTS and not is_there(IMPORTS[name])]
    if missing:
        raise RuntimeError(
            f"This notebook runs in {sys.executable}, where {', '.join(missing)} is not "
            f"installed: choose the course's kernel, or {INSTALL}."
        )
    for module in IMPORTS.values():
        if file := in_place_of(module):
            raise RuntimeError(
                f"{file} has the name of the package {module}, and Python would import it in the "
                "place of that: give it another name, then restart the kernel."
            )
    # Asked for before torch starts: the same sums in the same order at every run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # or the profiler's own notes are stderr
    import matplotlib.style
    import torch

    torch.set_num_threads(threads)
    # By default cuDNN rounds to 19 bits and picks whichever algorithm was the fastest at first.
    torch.backends.cudnn.allow_tf32 = False  # torch refuses to read it where it and the next differ
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    matplotlib.style.use(ROOT / "utils" / "figures" / "course.mplstyle")


def running_number():
    """Return the number of the running notebook, "NN" where JupyterLab does not say its name."""
    name = Path(os.environ.get("JPY_SESSION_NAME", "")).name
    return name[:2] if name[:2].isdecimal() else "NN"


IMPORTS = {"torch": "torch", "numpy": "numpy", "matplotlib": "matplotlib", "h5py": "h5py"}


def is_there(module):
    """Return whether a module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


def in_place_of(module):
    """Return the file or folder of a reader's own that Python takes for a package, or None."""
    file = Path(importlib.util.find_spec(module).origin)
    found = file.parent if file.name == "__init__.py" else file
    # Python looks in the notebook's folder and in the course's before it looks at its packages.
    return found if found.parent in (Path.cwd(), ROOT) else None


def required(path=ROOT / "requirements.txt"):
    """Return the packages of a requirements file with their versions: name -> version."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line.split("#")[0].strip() for line in lines]
    return dict(pin.split("==") for pin in pins if "==" in pin)


def look_at_python():
    """Return the finding on the running Python."""
    here = f"Python {platform.python_version()}"
    if sys.version_info[:2] in SUPPORTED:
        return Finding(True, here)
    oldest, newest = (".".join(map(str, SUPPORTED[index])) for index in (0, -1))
    return Finding(False, here, f"the course runs on Python {oldest} to {newest}: install one")


def look_at_packages():
    """Return a finding on each package of requirements.txt; +cpu, +cu endings do not count."""
    findings = []
    for name, pinned in required().items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            findings.append(Finding(False, f"{name} is not installed", INSTALL))
            continue
        if version.split("+")[0] == pinned:
            findings.append(Finding(True, f"{name} {version}"))
        else:
            text = f"{name} {version}, while the course's pages were made with {pinned}"
            findings.append(Finding(False, text, INSTALL))
    return findings


def look_at_device():
    """Return the finding on the device that the notebooks compute on."""
    if not is_there("torch"):
        return Finding(False, "no device: torch is not installed", INSTALL)
    import torch

    from utils.training import pick_device

    try:
        device = pick_device()
    except ValueError as error:
        return Finding(False, "no device", str(error))
    others = []
    if device.type == "cpu" and torch.backends.mps.is_available():
        others.append("COURSE_DEVICE=mps takes the Apple GPU")
    if device.type == "cuda":
        others.append("COURSE_DEVICE=cpu takes the CPU")
        return Finding(True, f"device {torch.cuda.get_device_name()} ({others[0]})")
    ending = f" ({others[0]})" if others else ""
    return Finding(True, f"device {device.type}{ending}")


def look_at_data():
    """Return a finding on each data file."""
    try:
        names = expected()
    except DataFileError as error:
        return [Finding(False, "data/checksums.json", str(error))]
    findings = []
    for name in names:
        try:
            verify(name)
            findings.append(Finding(True, f"data/{name} is complete"))
        except DataFileError as error:
            findings.append(Finding(False, f"data/{name}", str(error)))
    return findings


# The data files ---------------------------------------------------------------------------------


class DataFileError(RuntimeError):
    """A data file of the course is missing or is not the published one."""


def expected():
    """Return the published size and checksum of every data file.

    Returns:
        dict: file name -> {"bytes": int, "sha256": str}.

    Raises:
        DataFileError: data/checksums.json is missing or damaged.
    """
    try:
        published = json.loads((DATA / "checksums.json").read_text(encoding="utf-8"))
        return {
            name: {"bytes": int(each["bytes"]), "sha256": each["sha256"]}
            for name, each in published.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataFileError(f"data/checksums.json is missing or damaged: {RESTORE}.") from error


def verify(name):
    """Compare one file in data/ with its published checksum.

    Args:
        name: file name, for example "penguins.h5".

    Returns:
        bytes: the content of the file.

    Raises:
        DataFileError: the file is missing, unreadable, cut short or altered; the message says which
            and what to do.
    """
    published = expected().get(name)
    if published is None:
        known = ", ".join(sorted(expected()))
        raise DataFileError(f"There is no data file {name!r} in this course; there are: {known}.")
    try:
        content = (DATA / name).read_bytes()
    except FileNotFoundError:
        raise DataFileError(f"data/{name} is missing: {RESTORE}.") from None
    except OSError as error:
        raise DataFileError(f"data/{name} cannot be read ({error.strerror}): {RESTORE}.") from error
    if len(content) < published["bytes"]:
        raise DataFileError(
            f"data/{name} is cut short ({len(content):,} of {published['bytes']:,} bytes): "
            f"{RESTORE}."
        )
    if hashlib.sha256(content).hexdigest() != published["sha256"]:
        raise DataFileError(f"data/{name} has been altered (its checksum is another): {RESTORE}.")
    return content


# All of it --------------------------------------------------------------------------------------


def look():
    """Return all findings on this machine."""
    return [look_at_python(), *look_at_packages(), look_at_device(), *look_at_data()]


def report(findings=None):
    """Print one line per finding, and how to fix what is wrong."""
    findings = look() if findings is None else findings
    for finding in findings:
        fix = f"\n    to fix: {finding.fix}" if finding.fix else ""
        print(f"{sign(finding.good)} {finding.text}{fix}")
    wrong = sum(not finding.good for finding in findings)
    print("This machine is ready." if not wrong else f"{wrong} to fix, see above.")


def sign(good):
    """Return a tick or a cross, or plain letters on a console that cannot print them."""
    symbol, letters = ("✓", "[ok]") if good else ("✗", "[!!]")
    try:
        symbol.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return letters
    return symbol


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a console that lacks a letter prints another sign
    found = look()
    report(found)
    sys.exit(0 if all(finding.good for finding in found) else 1)
