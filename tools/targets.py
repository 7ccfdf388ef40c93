"""The machines that a package can serve, and whether a set of wheels is all that one needs.

A target is a platform with a version of Python. What its requirements are does not depend on the
machine that makes the package: environment markers are answered for the target.
"""

import itertools
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging import tags
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from tools.setup import wheels
from tools.setup.console import CourseError


@dataclass(frozen=True)
class Platform:
    """A system on a kind of processor; `pip_tags` are the platforms that pip is told."""

    text: str
    system: str  # platform.system(), and the next two likewise
    machine: str
    sys_platform: str
    pip_tags: tuple

    @property
    def all_tags(self):
        """The platforms' tags, newest first, with all that macOS runs besides."""
        if self.system != "Darwin":
            return list(self.pip_tags)
        major, minor = (int(part) for part in self.pip_tags[0].split("_")[1:3])
        return list(tags.mac_platforms((major, minor), self.machine))


def manylinux(machine, oldest):
    """Return the tags of wheels for glibc 2.28 (which PyTorch needs) and older ones."""
    # pip compares these as words, so that each has to be named.
    names = [f"manylinux_2_{minor}_{machine}" for minor in range(28, oldest - 1, -1)]
    old = ["manylinux2014", "manylinux2010", "manylinux1"] if oldest == 5 else ["manylinux2014"]
    return (*names, *(f"{name}_{machine}" for name in old), f"linux_{machine}")


PLATFORMS = {
    "linux": Platform(
        "Linux (64-bit Intel or AMD)", "Linux", "x86_64", "linux", manylinux("x86_64", oldest=5)
    ),
    "linux-arm": Platform(
        "Linux (64-bit ARM)", "Linux", "aarch64", "linux", manylinux("aarch64", oldest=17)
    ),
    # PyTorch serves macOS from 14 on, and Apple's own processors only. pip adds the older tags.
    "mac": Platform(
        "macOS 14 or newer (Apple's own processors)",
        "Darwin",
        "arm64",
        "darwin",
        ("macosx_14_0_arm64",),
    ),
    "windows": Platform(
        "Windows (64-bit Intel or AMD)", "Windows", "AMD64", "win32", ("win_amd64",)
    ),
}


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

    def pip_options(self):
        """Return the options with which pip chooses wheels for it."""
        platforms = (("--platform", tag) for tag in self.platform.pip_tags)
        python = ["--implementation", "cp", "--python-version", self.python]
        return [*itertools.chain.from_iterable(platforms), *python, "--only-binary", ":all:"]

    def environment(self, release=0):
        """Return what its environment markers are, in this release of its Python: 3.11.RELEASE."""
        full = f"{self.python}.{release}"
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "nt" if self.platform.system == "Windows" else "posix",
            "platform_machine": self.platform.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.platform.system,
            "platform_version": "",
            "python_full_version": full,
            "python_version": self.python,
            "sys_platform": self.platform.sys_platform,
        }

    def environments(self):
        """Return the markers of its Python's first and (beyond the) last release."""
        return [self.environment(0), self.environment(99)]

    def takes(self, wheel):
        """Return whether pip would install a wheel there."""
        version = tuple(int(part) for part in self.python.split("."))
        interpreter = f"cp{''.join(self.python.split('.'))}"
        platforms = self.platform.all_tags
        fitting = itertools.chain(
            tags.cpython_tags(version, [interpreter], platforms),
            tags.compatible_tags(version, interpreter, platforms),
        )
        python = wheel.python.contains(f"{self.python}.0", prereleases=True)
        return python and not wheel.tags.isdisjoint(fitting)


# -- Wheels, and what they require -------------------------------------------------------------


@dataclass(frozen=True)
class Wheel:
    """What a wheel says of itself."""

    path: Path
    name: str
    version: Version
    tags: frozenset
    python: SpecifierSet
    requires: tuple


def read_wheel(path):
    """Return a Wheel. Raises CourseError if the file is cut short or is none."""
    try:
        name, version, _, fitting = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            (inside,) = (
                member
                for member in archive.namelist()
                if member.count("/") == 1 and member.endswith(".dist-info/METADATA")
            )
            metadata = HeaderParser().parsestr(archive.read(inside).decode("utf-8"))
        requires = tuple(Requirement(line) for line in metadata.get_all("Requires-Dist", []))
        python = SpecifierSet(metadata.get("Requires-Python", ""))
    except (
        OSError,
        ValueError,
        zipfile.BadZipFile,
        InvalidRequirement,
        InvalidSpecifier,
        InvalidWheelFilename,
    ) as error:
        raise CourseError(f"{path} is damaged ({error}): remove it, then start again.") from error
    return Wheel(path, name, version, fitting, python, requires)


def applies(requirement, environment, extra=""):
    """Return whether a requirement counts, for an extra of the package that has it."""
    return requirement.marker is None or requirement.marker.evaluate(
        {**environment, "extra": extra}
    )


def closure(roots, found, environments):
    """Follow the requirements `roots`, and theirs, through wheels.

    `found` maps names to Wheels, one each. Return the names of the wheels that are needed in any
    of the environments, and the requirements, as pip takes them, that no wheel meets.
    """
    needed, unmet = set(), set()
    for environment in environments:
        waiting = [root for root in roots if applies(root, environment)]
        seen = set()
        while waiting:
            requirement = waiting.pop()
            name = canonicalize_name(requirement.name)
            wheel = found.get(name)
            if wheel is None or not requirement.specifier.contains(wheel.version, prereleases=True):
                unmet.add(without_marker(requirement))
                continue
            needed.add(name)
            for part in {(name, extra) for extra in ("", *requirement.extras)} - seen:
                seen.add(part)
                waiting += [r for r in wheel.requires if applies(r, environment, part[1])]
    return needed, sorted(unmet)


def without_marker(requirement):
    """Return a requirement as text, without the condition under which it counts."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"
