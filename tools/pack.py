"""Make a package: the course with all that it installs, for a room without a network.

    python3 course.py pack [--platform linux mac windows] [--python 3.11 3.12] [--tools]
                           [--torch default]

The folder goes to build/pack/, to be copied to a stick. In a copy of it, `course.py lab` installs
from its folder `wheels/` (tools/setup/wheels.py). A target is a platform with a version of Python:
uv finds out which packages it needs, and pip downloads them into build/wheels/, where the next
package finds them again. A package is put in its place when it is whole. On Linux it brings the
small build of PyTorch, with `--torch default` the build with CUDA.

uv does not read pip's settings: where packages come from a mirror, UV_DEFAULT_INDEX names it.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass

from tools.settings import BUILD, LAUNCHER, ROOT
from tools.setup import environment, installation, wheels
from tools.setup.console import CourseError, guarded, say
from tools.setup.wheels import listed
from utils import SUPPORTED
from utils.machine import required, sign

PACKAGES = BUILD / "pack"
CACHE = BUILD / "wheels"
LOG = CACHE / "pip.log"
EXACT = CACHE / "exact.txt"  # the packages of the last target, with their versions
PYTHONS = ["{}.{}".format(*version) for version in SUPPORTED]
READ_ME = "READ-ME-FIRST.txt"


# -- The machines that a package can serve -----------------------------------------------------


@dataclass(frozen=True)
class Platform:
    """A system on a kind of processor, in our words and in those of uv and of pip."""

    text: str
    system: str  # platform.system(), and next platform.machine()
    machine: str
    for_uv: str
    for_pip: tuple


def manylinux(machine):
    """Return the tags of wheels for glibc 2.28 (which PyTorch needs) and older ones."""
    # pip compares these as words, so that each has to be named.
    names = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)]
    names += ["manylinux2014", "manylinux2010", "manylinux1"]
    return tuple(f"{name}_{machine}" for name in names)


PLATFORMS = {
    "linux": Platform(
        text="Linux (64-bit Intel or AMD)",
        system="Linux",
        machine="x86_64",
        for_uv="x86_64-manylinux_2_28",
        for_pip=manylinux("x86_64"),
    ),
    "linux-arm": Platform(
        text="Linux (64-bit ARM)",
        system="Linux",
        machine="aarch64",
        for_uv="aarch64-manylinux_2_28",
        for_pip=manylinux("aarch64"),
    ),
    # PyTorch serves macOS from 14 on, and Apple's own processors only. pip adds the older tags.
    "mac": Platform(
        text="macOS 14 or newer (Apple's own processors)",
        system="Darwin",
        machine="arm64",
        for_uv="aarch64-apple-darwin",
        for_pip=("macosx_14_0_arm64",),
    ),
    "windows": Platform(
        text="Windows (64-bit Intel or AMD)",
        system="Windows",
        machine="AMD64",
        for_uv="x86_64-pc-windows-msvc",
        for_pip=("win_amd64",),
    ),
}


@dataclass(frozen=True)
class Target:
    """A platform, by its name, with a version of Python as in "3.11"."""

    name: str
    python: str

    @property
    def platform(self):
        """The Platform."""
        return PLATFORMS[self.name]

    @property
    def text(self):
        """The target in words."""
        return f"{self.platform.text} with Python {self.python}"


def this_platform():
    """Return the name of the running platform. Raises CourseError if PyTorch does not serve it."""
    system, machine, _ = wheels.this_machine()
    for name, platform in PLATFORMS.items():
        if (platform.system, platform.machine) == (system, machine):
            return name
    raise CourseError(
        f"There is no PyTorch for this machine ({system} {machine}): name the machines of the room "
        f"with --platform, of {', '.join(PLATFORMS)}."
    )


# -- The wheels of a target --------------------------------------------------------------------


def get_wheels(target, files, torch, lock):
    """Download the wheels that a target needs to CACHE, where those of earlier packages are.

    Args:
        target: the Target.
        files: the requirements files.
        torch: "cpu" for the small build on Linux.
        lock: an open file, which pip and uv inherit.

    Returns:
        list: the names of the wheels, in order.

    Raises:
        CourseError: a package is missing, or they do not fit together.
    """
    links = []
    version = required(environment.REQUIREMENTS).get("torch")
    if torch == "cpu" and target.platform.system == "Linux" and version:
        get_small_torch(target, version, lock)
        # uv and pip prefer it to the build with CUDA: 2.13.0+cpu counts as newer than 2.13.0.
        links = ["--find-links", CACHE]
    resolve(target, [*links, *files], lock)
    # With pip itself, a Linux without ensurepip can make its environment too.
    names = download(target, [*links, "--requirement", EXACT, "pip"], lock)
    needed = 1 + len(EXACT.read_text(encoding="utf-8").splitlines())
    if len(names) != needed:
        raise CourseError(f"pip names {len(names)} wheels, where {needed} are needed: see {LOG}")
    return names


def get_small_torch(target, version, lock):
    """Download PyTorch's small build, which only its own index has."""
    try:
        download(target, ["--index-url", environment.TORCH_CPU_INDEX, f"torch=={version}"], lock)
    except CourseError as error:
        raise CourseError(
            f"pip did not get PyTorch's small build from {environment.TORCH_CPU_INDEX} (the "
            f"build with CUDA comes from the usual index: add --torch default). {error}"
        ) from error


def resolve(target, words, lock):
    """Write what the requirements in `words` lead to on a target to EXACT, in exact versions."""
    EXACT.unlink(missing_ok=True)  # or uv would keep to the versions in it
    command = [sys.executable, "-m", "uv", "pip", "compile", "--output-file", EXACT]
    # Named, the running Python is enough: uv would fetch one of the target's version.
    command += ["--python", sys.executable, "--python-version", target.python]
    command += ["--python-platform", target.platform.for_uv]
    command += ["--only-binary", ":all:", "--no-annotate", "--no-header", *words]
    variables = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    otherwise = f"No package can be made for {target.text}"
    installation.run(command, variables, LOG, lock, otherwise)


def download(target, words, lock):
    """Download what `words` ask pip for, in wheels for a target. Return the wheels' names."""
    options = ["--dest", CACHE, "--no-deps", "--only-binary", ":all:"]
    options += ["--implementation", "cp", "--python-version", target.python]
    for tag in target.platform.for_pip:
        options += ["--platform", tag]
    arguments = ["download", *options, *words]
    output = installation.run_pip(sys.executable, arguments, os.environ, LOG, lock, target.text)
    # Both lines end in a file's name.
    line = r"^\s*(?:Saved|File was already downloaded) .*?([^/\\]+\.whl)\s*$"
    return sorted(re.findall(line, output, re.MULTILINE))


def remove_damaged():
    """Remove wheels that are cut short: those of an index without checksums would be taken."""
    for path in CACHE.glob("*.whl"):
        if not zipfile.is_zipfile(path):
            path.unlink()


# -- The files of the course -------------------------------------------------------------------


def course_files(root=ROOT):
    """Return (known, unknown): the paths that git tracks, and those it neither tracks nor ignores.

    Raises CourseError where git does not answer for the course's folder.
    """
    problem = "this folder is no clone of it"
    # The folder may lie, downloaded, in somebody else's repository.
    if (root / ".git").exists():
        try:
            known = [name for name in git_files("--cached", root) if (root / name).is_file()]
            return known, git_files("--others", root)
        except FileNotFoundError:
            problem = "there is no git here"
        except subprocess.CalledProcessError as error:
            problem = error.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    raise CourseError(
        f"A package holds the files that git tracks, and {problem}: make it in a clone of the "
        "course, on a machine with git."
    )


def git_files(which, root):
    """Return the paths that git lists, relative to the course's folder."""
    command = ["git", "ls-files", "-z", which, "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    return sorted(filter(None, done.stdout.decode("utf-8").split("\0")))


# -- The folder --------------------------------------------------------------------------------


@contextlib.contextmanager
def whole_folder(folder):
    """Give an empty folder to fill, which takes the place of `folder` when all went well.

    Whatever stops it, `folder` is afterwards what it was or whole. The caller holds the lock.
    """
    new = folder.with_name(f".{folder.name}.unfinished")
    old = folder.with_name(f".{folder.name}.replaced")
    if old.exists() and not folder.exists():
        os.rename(old, folder)  # an earlier run was killed between its two renamings
    for left_over in (new, old):
        if left_over.exists():
            shutil.rmtree(left_over)
    new.mkdir(parents=True)
    try:
        yield new
        if folder.exists():
            os.rename(folder, old)
        os.rename(new, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.rename(old, folder)
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def lay_course(names, folder):
    """Copy the files of the course, named relative to its folder."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)


def lay_wheels(sets, folder):
    """Copy the wheels of all targets, each once. Return {file name: {bytes, sha256}}."""
    folder.mkdir()
    laid = {}
    for name in sorted({name for names in sets.values() for name in names}):
        shutil.copy(CACHE / name, folder)
        laid[name] = {
            "bytes": (folder / name).stat().st_size,
            "sha256": wheels.fingerprint(folder / name),
        }
    return laid


def manifest(sets, laid, tools):
    """Return what the package says of itself, as tools/setup/wheels.py reads it.

    Args:
        sets: the names of the wheels of each Target.
        laid: the wheels, as `lay_wheels` returns them.
        tools: whether the maintainers' tools are there.
    """
    targets = []
    for target, names in sets.items():
        torch = [name.split("-")[1] for name in names if name.startswith("torch-")]
        targets.append(
            {
                "system": target.platform.system,
                "machine": target.platform.machine,
                "python": target.python,
                "text": target.platform.text,
                "torch": torch[0] if torch else "",
                "wheels": names,
            }
        )
    return {"tools": tools, "targets": targets, "wheels": laid}


TEXT = """\
{title}
{line}

This folder holds the course and all that it installs: {count} wheels, {size}.
No network is needed. It serves

{served}

with Python {pythons}.

1. Copy this folder from the stick to the machine's own disk; {needed} GB must
   be free there. On Windows choose a short path, such as C:\\course.
2. Open a terminal in the copy and type

{commands}

   The first start takes a minute or a few, then JupyterLab opens. In the
   place of lab, check looks at the machine, and test runs all tests.

Python itself is not in here, and must be on the machine (64-bit). For Windows
and macOS take its installer to the room, from
https://www.python.org/downloads/ . On Linux it comes from the system's own
packages; python{first} alone is enough.
"""

STARTS = {
    "Linux": ("Linux:", "python{}"),
    "Darwin": ("macOS:", "python{}"),
    "Windows": ("Windows:", "py -{}"),
}


def read_me(targets, laid):
    """Return the text of READ-ME-FIRST.txt for a package with these wheels."""
    title = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n")[0].strip("# ")
    pythons = list(dict.fromkeys(target.python for target in targets))
    starts = dict.fromkeys(STARTS[target.platform.system] for target in targets)
    return TEXT.format(
        title=title,
        line="=" * len(title),
        count=len(laid),
        size=size_of(laid),
        needed=8 if any(name.startswith("nvidia_") for name in laid) else 2,
        served="\n".join(dict.fromkeys(f"   {target.platform.text}" for target in targets)),
        pythons=listed(pythons, "or"),
        commands="\n".join(
            f"      {name:9} {start.format(pythons[0])} course.py lab" for name, start in starts
        ),
        first=pythons[0],
    )


def size_of(laid):
    """Return in words how large wheels are together."""
    return f"{sum(wheel['bytes'] for wheel in laid.values()) / environment.GIGABYTE:.2f} GB"


# -- The command -------------------------------------------------------------------------------


def make(targets, torch, tools):
    """Make the package for some targets."""
    started = time.monotonic()
    path = PACKAGES / name_of(targets)
    files = [environment.REQUIREMENTS] + [environment.TOOLS_REQUIREMENTS] * tools
    names, unknown = course_files()
    CACHE.mkdir(parents=True, exist_ok=True)
    with environment.only_one(BUILD / "pack.lock", "making a package") as lock:
        LOG.unlink(missing_ok=True)
        remove_damaged()
        sets = {}
        for target in targets:
            say(f"Getting the wheels for {target.text}.")
            sets[target] = get_wheels(target, files, torch, lock)
        with whole_folder(path) as folder:
            lay_course(names, folder)
            laid = lay_wheels(sets, folder / "wheels")
            content = json.dumps(manifest(sets, laid, tools), indent=1) + "\n"
            (folder / "wheels" / "manifest.json").write_text(content, encoding="utf-8")
            (folder / READ_ME).write_text(read_me(targets, laid), encoding="utf-8")
    seconds = time.monotonic() - started
    say(f"{sign(True)} {path}: {len(laid)} wheels, {size_of(laid)}, in {seconds:.0f} s.")
    say(f"Copy that folder to a stick; {READ_ME} in it says which machines it serves, and how.")
    if unknown:
        first = listed(unknown[:3]) if len(unknown) <= 3 else f"{', '.join(unknown[:3])} and others"
        say(f"Not in it, since git does not know them (git add changes that): {first}.")


def name_of(targets):
    """Return the name of the package's folder."""
    platforms = dict.fromkeys(target.name for target in targets)
    pythons = dict.fromkeys(target.python for target in targets)
    return f"pytorch-course-{'-'.join(platforms)}-python{'-'.join(pythons)}"


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog=f"{LAUNCHER} pack", allow_abbrev=False, description=__doc__.split("\n")[0]
    )
    parser.add_argument("--platform", nargs="+", choices=PLATFORMS, help="(default: this one)")
    parser.add_argument("--python", nargs="+", choices=PYTHONS, default=[environment.VERSION])
    parser.add_argument("--tools", action="store_true", help="with what maintainers need")
    parser.add_argument("--torch", choices=["cpu", "default"], default="cpu")
    return parser


def run(arguments):
    """Make the package that is asked for. Return 0."""
    options = make_parser().parse_args(arguments)
    platforms = dict.fromkeys(options.platform or [this_platform()])
    pythons = sorted(set(options.python), key=PYTHONS.index)
    targets = [Target(name, python) for name in platforms for python in pythons]
    make(targets, options.torch, options.tools)
    return 0


def main(arguments=None):
    """Return the exit status of the command line."""
    return guarded(run, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
