"""Make a package: the course with all that it installs, for a room without a network.

    python3 course.py pack [--platform linux mac windows] [--python 3.11 3.12] [--tools]
                           [--torch default]

The folder goes to build/pack/, to be copied to a stick. In a copy of it, `course.py lab` installs
from its folder `wheels/` (tools/setup/wheels.py). A package is put in its place when it is whole:
every requirement of every wheel in it is met in it, for each of its targets. On Linux it brings
the small build of PyTorch, with `--torch default` the build with CUDA.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import time

from packaging.requirements import Requirement

from tools import own_files
from tools.own_files import READ_ME
from tools.settings import BUILD, LAUNCHER, ROOT
from tools.settings import SUPPORTED as PYTHONS
from tools.setup import environment, installation
from tools.setup.console import CourseError, guarded, say, sign
from tools.setup.wheels import listed
from tools.targets import PLATFORMS, Target, closure, read_wheel, this_platform

PACKAGES = BUILD / "pack"
CACHE = BUILD / "wheels"
LOG = CACHE / "pip.log"
SUPPORTED = ["{}.{}".format(*version) for version in PYTHONS]


# -- What to download --------------------------------------------------------------------------


class Downloads:
    """pip's downloads into build/wheels/, where the next package finds them again.

    `torch` is "cpu" for the small build on Linux; `lock` is the open file that pip inherits.
    """

    def __init__(self, torch, lock):
        self.torch, self.lock = torch, lock
        CACHE.mkdir(parents=True, exist_ok=True)
        LOG.unlink(missing_ok=True)
        remove_damaged()

    def pip(self, target, words):
        """Download what `words` ask for. Return the Wheels by name."""
        start = [sys.executable, "-m", "tools.pip_for_target", json.dumps(target.environment())]
        packages = installation.site_packages(sys.executable)
        options = installation.common_options(packages) + ["--dest", str(CACHE)]
        output = installation.run_pip(
            [*start, "download", *options, *target.pip_options(), *words],
            os.environ,
            LOG,
            self.lock,
            installation.Progress(),
            no_version=lambda requirement: (
                f"There is no wheel of {requirement} for {target.text}, so no package can be made "
                "for it: leave it out, or see the log."
            ),
        )
        # Both lines end in a file's name.
        line = r"^\s*(?:Saved|File was already downloaded) .*?([^/\\]+\.whl)\s*$"
        found = (read_wheel(CACHE / name) for name in re.findall(line, output, re.MULTILINE))
        return {wheel.name: wheel for wheel in found}

    def small_torch(self, target):
        """Return the path of PyTorch's small build for a target, in a list; empty if not asked."""
        version = environment.pins(environment.REQUIREMENTS).get("torch")
        if self.torch != "cpu" or target.platform.system != "Linux" or not version:
            return []
        index = ["--index-url", environment.TORCH_CPU_INDEX, "--no-deps"]
        try:
            (wheel,) = self.pip(target, [f"torch=={version}", *index]).values()
        except CourseError as error:
            raise CourseError(
                f"pip did not get PyTorch's small build from {environment.TORCH_CPU_INDEX} (the "
                f"build with CUDA comes from the usual index: add --torch default). {error}"
            ) from error
        return [str(wheel.path)]

    def everything(self, target, files):
        """Return the Wheels, by name, of all that the requirements in `files` lead to.

        Raises CourseError if they do not fit together.
        """
        # With pip itself, a Linux without ensurepip can make its environment too.
        words = [word for path in files for word in ("--requirement", str(path))] + ["pip"]
        words += self.small_torch(target)
        roots = [Requirement("pip")]
        for path in files:
            roots += [Requirement(f"{n}=={v}") for n, v in environment.pins(path).items()]
        asked = set()
        while True:
            found = self.pip(target, [*words, *asked])
            needed, unmet = closure(roots, found, target.environments())
            if not unmet:
                break
            if asked.issuperset(unmet):
                raise CourseError(
                    f"The packages for {target.text} do not fit together: nothing meets "
                    f"{listed(unmet)}. What pip said is in {LOG}"
                )
            asked.update(unmet)
        foreign = [
            found[name].path.name for name in sorted(needed) if not target.takes(found[name])
        ]
        if foreign:
            raise CourseError(f"pip took wheels that {target.text} refuses: {listed(foreign)}.")
        return {name: found[name] for name in sorted(needed)}


def remove_damaged():
    """Remove wheels that are cut short: those of an index without checksums would be taken."""
    for path in CACHE.glob("*.whl"):
        try:
            read_wheel(path)
        except CourseError:
            path.unlink()


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
    """Copy all wheels once. Return {file name: {bytes, sha256}}."""
    folder.mkdir()
    laid = {}
    for wheel in (wheel for found in sets.values() for wheel in found.values()):
        name = wheel.path.name
        if name not in laid:
            laid[name] = copied(wheel.path, folder / name)
    return dict(sorted(laid.items()))


def copied(source, target):
    """Copy a file. Return {bytes, sha256} of what was written."""
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as file, open(target, "wb") as copy:
        while part := file.read(1 << 20):
            copy.write(part)
            digest.update(part)
            size += len(part)
    return {"bytes": size, "sha256": digest.hexdigest()}


def manifest(sets, laid, tools):
    """Return what the package says of itself, as tools/setup/wheels.py reads it."""
    targets = []
    for target, found in sets.items():
        targets.append(
            {
                "system": target.platform.system,
                "machine": target.platform.machine,
                "python": target.python,
                "text": target.platform.text,
                "torch": str(found["torch"].version) if "torch" in found else "",
                "wheels": sorted(wheel.path.name for wheel in found.values()),
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
    BUILD.mkdir(exist_ok=True)
    with environment.only_one(BUILD / "pack.lock", "making a package") as lock:
        downloads = Downloads(torch, lock)
        sets = {}
        for target in targets:
            say(f"Getting the wheels for {target.text}.")
            sets[target] = downloads.everything(target, files)
        names, unknown = own_files.course_files()
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
        say(f"Not in it, since git does not know them (git add mends that): {first}.")


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
    parser.add_argument("--python", nargs="+", choices=SUPPORTED, default=[environment.VERSION])
    parser.add_argument("--tools", action="store_true", help="with what lint needs")
    parser.add_argument("--torch", choices=["cpu", "default"], default="cpu")
    return parser


def run(arguments):
    """Make the package that is asked for. Return 0."""
    options = make_parser().parse_args(arguments)
    if importlib.util.find_spec("pip") is None:
        raise CourseError("This Python has no pip to download with: leave out --here.")
    platforms = dict.fromkeys(options.platform or [this_platform()])
    pythons = sorted(set(options.python), key=SUPPORTED.index)
    targets = [Target(name, python) for name in platforms for python in pythons]
    make(targets, options.torch, options.tools)
    return 0


def main(arguments=None):
    """Return the exit status of the command line."""
    return guarded(run, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
