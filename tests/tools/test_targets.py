"""What is required where: the wheels of a target do not depend on the machine that packs."""

import sys

import pytest
from launcher_course import make_wheel, write
from package_index import EXPECTED
from packaging.markers import default_environment

from tools import pack, targets
from tools.setup.console import CourseError


class OtherPip(pack.Downloads):
    """pip that answers markers for Linux with Python 3.12, whatever machine is meant."""

    def __init__(self, index):
        self.torch, self.index, self.calls = "cpu", index, []

    def pip(self, target, words):
        """Return the wheels of probe for the wrong machine, and those asked for by name."""
        names = [word.partition(">")[0] for word in words if word.isidentifier() or ">" in word]
        self.calls.append(names)
        found = map(targets.read_wheel, self.index.glob("*.whl"))
        wanted = {*EXPECTED["Linux", "3.12"], *names}
        return {w.name: w for w in found if w.name in wanted and "cp312" not in w.path.name}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A requirements file, in a list."""
    path = tmp_path / "requirements.txt"
    write(path, "probe==1.0\n")
    monkeypatch.setattr(pack.environment, "REQUIREMENTS", path)
    return [path]


def test_what_pip_left_out_is_asked_for_until_nothing_is_missing(index, files):
    pip = OtherPip(index)
    found = pip.everything(targets.Target("windows", "3.11"), files)
    assert set(found) == EXPECTED["Windows", "3.11"] | {"pip"}
    # shade's own requirement is known only when shade is there.
    assert [len(names) for names in pip.calls] == [1, 5, 6]


def test_requirement_that_nothing_meets_is_no_package(index, files):
    with pytest.raises(CourseError, match="do not fit together: nothing meets probe==2.0"):
        write(files[0], "probe==2.0\n")
        OtherPip(index).everything(targets.Target("linux", "3.12"), files)


def test_wheel_of_another_platform_is_no_package(index, files):
    write(files[0], "tracer==1.0\n")
    with pytest.raises(CourseError, match=r"Windows .* refuses: tracer-1.0"):
        OtherPip(index).everything(targets.Target("windows", "3.12"), files)


class PipWithTorch(pack.Downloads):
    """pip that finds torch and pip, and notes what it was asked for."""

    def __init__(self, folder, torch, reached=True):
        self.folder, self.torch, self.reached, self.calls = folder, torch, reached, []

    def pip(self, target, words):
        """Return two wheels, of the small torch if PyTorch's own index was named and answers."""
        self.calls.append(words)
        small = "--index-url" in words
        if small and not self.reached:
            raise CourseError("There is no connection to the package index.")
        versions = {"pip": "26.0", "torch": "2.13.0+cpu" if small else "2.13.0"}
        made = [make_wheel(self.folder, name, version) for name, version in versions.items()]
        return {w.name: w for w in map(targets.read_wheel, made[small:])}


@pytest.mark.parametrize("platform", targets.PLATFORMS)
@pytest.mark.parametrize("torch", ["cpu", "default"])
def test_small_torch_comes_from_its_own_index_for_linux_only(tmp_path, files, platform, torch):
    write(files[0], "torch==2.13.0\n")
    pip = PipWithTorch(tmp_path, torch)
    pip.everything(targets.Target(platform, "3.11"), files)
    if torch == "cpu" and platform.startswith("linux"):
        assert len(pip.calls) == 2
        assert {"torch==2.13.0", pack.environment.TORCH_CPU_INDEX, "--no-deps"} <= {*pip.calls[0]}
        # The rest is chosen to go with this very wheel.
        assert str(tmp_path / "torch-2.13.0+cpu-py3-none-any.whl") in pip.calls[1]
    else:
        assert len(pip.calls) == 1 and not any("+cpu" in word for word in pip.calls[0])


def test_index_of_the_small_torch_that_does_not_answer_is_named(tmp_path, files):
    write(files[0], "torch==2.13.0\n")
    with pytest.raises(CourseError) as caught:
        pip = PipWithTorch(tmp_path, "cpu", reached=False)
        pip.everything(targets.Target("linux", "3.11"), files)
    for words in (pack.environment.TORCH_CPU_INDEX, "--torch default", "no connection"):
        assert words in str(caught.value)


def test_platforms_agree_with_the_running_machine():
    target = targets.Target(targets.this_platform(), "{}.{}".format(*sys.version_info))
    real = default_environment()
    for name, value in target.environment().items():
        if "version" not in name and "release" not in name:
            assert real[name] == value, name
    assert real["python_version"] == target.environment()["python_version"]


def test_every_platform_takes_the_wheels_that_are_published_for_it(tmp_path):
    tags = {
        "linux": ["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"],
        "linux-arm": ["manylinux_2_28_aarch64", "manylinux2014_aarch64"],
        "mac": ["macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_10_9_universal2"],
        "windows": ["win_amd64"],
    }
    assert set(tags) == set(targets.PLATFORMS)
    for name, platforms in tags.items():
        for other in tags:
            for tag in platforms:
                for python in ("cp311-cp311", "cp38-abi3", "py3-none"):
                    wheel = targets.read_wheel(make_wheel(tmp_path, "p", tag=f"{python}-{tag}"))
                    assert targets.Target(other, "3.11").takes(wheel) == (name == other)
    newer = targets.read_wheel(make_wheel(tmp_path, "p", tag="cp312-cp312-win_amd64"))
    assert not targets.Target("windows", "3.11").takes(newer)
