"""Packages for a room without a network: what is in them, and what a machine makes of them.

Packed is the small course of launcher_course.py: quickly with stand-ins for uv and pip, and with
`--full` by the real ones, from an index that is a folder. Nothing is downloaded.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from launcher_course import FOLDER, Course, echoed, make_wheel, only_posix, write
from package_index import EXPECTED

from tools import pack, settings
from tools.setup import environment, wheels
from tools.setup.console import CourseError

HERE = "{}.{}".format(*sys.version_info)
# Nobody answers at port 9 of this machine, so that a request fails and is no success by chance.
REFUSED = {
    name: "http://127.0.0.1:9"
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
}
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
full = pytest.mark.full


def make_clone(course):
    """Make a course a clone, with a README and the ignored names of the real one."""
    write(course.root / "README.md", "# A small course\n")
    shutil.copy(settings.ROOT / ".gitignore", course.root)
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=course.root, check=True, capture_output=True)
    return course


@pytest.fixture(scope="module")
def packer(tmp_path_factory):
    """A course that packs with the stand-ins for uv and pip, from the folder INDEX."""
    folder = tmp_path_factory.mktemp("packer")
    for name in ("probe", "deepest", "pip"):
        make_wheel(folder / "index", name)
    make_wheel(folder / "index", "torch", "2.13.0+cpu")
    packer = Course(folder)
    packer.environment["INDEX"] = str(folder / "index")
    make_clone(packer)
    packer.succeeds("solved")
    return packer


def packed(packer, *arguments, **options):
    """Make a package and return (its folder, what was said)."""
    out = packer.succeeds("pack", *arguments, **options)
    (line,) = (line for line in out.splitlines() if "wheels," in line)
    return Path(line.partition(" ")[2].partition(": ")[0]), out


@pytest.fixture(scope="module")
def package(packer):
    """The folder of a package for this machine."""
    return packed(packer)[0]


def manifest_of(folder):
    """Return the manifest of a package's folder."""
    return json.loads((folder / "wheels" / "manifest.json").read_text("utf-8"))


def content_of(folder):
    """Return {path: bytes} of a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- What is in a package ----------------------------------------------------------------------


def test_package_serves_each_target_and_says_how(packer):
    words = ["--platform", "windows", "mac", "--python", "3.12", "3.11"]
    before = len(packer.pip_calls())
    folder, out = packed(packer, *words)
    calls = packer.pip_calls()[before:]
    resolved = [dict(zip(call, call[1:], strict=False)) for call in calls if call[0] == "uv"]
    assert [(call["--python-platform"], call["--python-version"]) for call in resolved] == [
        ("x86_64-pc-windows-msvc", "3.11"),
        ("x86_64-pc-windows-msvc", "3.12"),
        ("aarch64-apple-darwin", "3.11"),
        ("aarch64-apple-darwin", "3.12"),
    ]
    content = manifest_of(folder)
    assert [(target["system"], target["python"]) for target in content["targets"]] == [
        ("Windows", "3.11"),
        ("Windows", "3.12"),
        ("Darwin", "3.11"),
        ("Darwin", "3.12"),
    ]
    names = {path.name for path in folder.glob("wheels/*.whl")}
    assert {name.partition("-")[0] for name in names} == {"probe", "deepest", "pip"}
    assert all(set(target["wheels"]) == names for target in content["targets"])
    assert set(content["wheels"]) == names and "3 wheels" in out
    for name, published in content["wheels"].items():
        assert wheels.fingerprint(folder / "wheels" / name) == published["sha256"]
        assert (folder / "wheels" / name).stat().st_size == published["bytes"]
    text = (folder / "READ-ME-FIRST.txt").read_text("utf-8")
    for words in ("A small course", "py -3.11 course.py lab", "macOS", "3.11 or 3.12"):
        assert words in text


def test_only_what_git_tracks_is_copied_and_the_rest_is_said(packer):
    private = ["work/mine.ipynb", "build/old/page.html", "utils/__pycache__/a.pyc", ".DS_Store"]
    for name in [*private, "marks.csv"]:
        write(packer.root / name, "private")
    write(packer.root / "data" / "Äpfel.txt", "")
    subprocess.run(["git", "add", "data"], cwd=packer.root, check=True)
    folder, out = packed(packer)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"course.py", "tools/pack.py", "data/Äpfel.txt", "notebooks/01_tensors.ipynb"} <= names
    assert not names & {*private, "marks.csv", ".git/HEAD", ".venv.lock"}
    assert not any(name.startswith(".venv") for name in names)
    assert "marks.csv" in out and "mine.ipynb" not in out


def test_without_a_clone_there_is_no_package(packer):
    (packer.root / ".git").rename(packer.root / "elsewhere")
    try:
        error = packer.fails("pack")
    finally:
        (packer.root / "elsewhere").rename(packer.root / ".git")
    assert "this folder is no clone of it: make it in a clone" in error
    error = packer.fails("pack", PATH=str(packer.stubs))
    assert "there is no git here: make it in a clone" in error


def test_tools_are_asked_for_with_the_option(packer):
    before = len(packer.pip_calls())
    folder, _ = packed(packer, "--tools")
    (call,) = (call for call in packer.pip_calls()[before:] if call[0] == "uv")
    assert [Path(word).parent.name for word in call[-2:]] == [FOLDER, "tools"]
    assert manifest_of(folder)["tools"]


def test_second_package_takes_what_was_downloaded_for_the_first(packer, package):
    cache = packer.root / "build" / "wheels"
    (cut,) = cache.glob("deepest-*")
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    folder, _ = packed(packer)
    said = (cache / "pip.log").read_text("utf-8")
    # What was cut short on the way is downloaded again.
    assert said.count("File was already downloaded") == 2 and said.count("Saved") == 1
    assert (folder / "wheels" / cut.name).read_bytes() == whole


# -- The small build of PyTorch ----------------------------------------------------------------


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """The calls of uv and pip that get_wheels makes, which find what they look for."""
    calls = []

    def run(command, variables, log, lock, otherwise, place=None):
        calls.append([str(word) for word in command])
        if "uv" in command:
            pack.EXACT.write_text("torch==2.13.0\n")
        return "Saved /x/pip-1-any.whl\nFile was already downloaded /x/torch-2.13.0-any.whl\n"

    monkeypatch.setattr(pack.installation, "run", run)
    write(tmp_path / "requirements.txt", "torch==2.13.0\n")
    monkeypatch.setattr(environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(pack, "CACHE", tmp_path)
    monkeypatch.setattr(pack, "EXACT", tmp_path / "exact.txt")
    return calls


@pytest.mark.parametrize("platform", pack.PLATFORMS)
@pytest.mark.parametrize("torch", ["cpu", "default"])
def test_small_torch_comes_first_from_its_own_index_for_linux_only(calls, platform, torch):
    names = pack.get_wheels(pack.Target(platform, "3.11"), ["requirements.txt"], torch, lock=None)
    assert names == ["pip-1-any.whl", "torch-2.13.0-any.whl"]
    if torch == "cpu" and platform.startswith("linux"):
        small, *rest = calls
        assert {"torch==2.13.0", environment.TORCH_CPU_INDEX, "--no-deps"} <= set(small)
        # Both that follow look where it lies now.
        assert [call[call.index("--find-links") + 1] for call in rest] == [str(pack.CACHE)] * 2
    else:
        rest = calls
        assert not any("--find-links" in call for call in calls)
    assert [call[2] for call in rest] == ["uv", "pip"]
    assert not any(environment.TORCH_CPU_INDEX in call for call in rest)


def test_index_of_the_small_torch_that_does_not_answer_is_named(calls, monkeypatch):
    def fails(*arguments):
        raise CourseError("There is no connection.")

    monkeypatch.setattr(pack.installation, "run", fails)
    with pytest.raises(CourseError) as error:
        pack.get_wheels(pack.Target("linux", "3.11"), ["requirements.txt"], "cpu", lock=None)
    for words in (environment.TORCH_CPU_INDEX, "--torch default", "There is no connection."):
        assert words in str(error.value)


# -- Whole or not at all -----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["uv", "pip"])
def test_package_stays_when_the_next_cannot_be_made(packer, package, who):
    before = content_of(package)
    if who == "uv":
        error = packer.fails("pack", UV_SAYS="cause: Because there is no probe==1.0, it fails.")
        assert "No package can be made for" in error and "Because there is no probe" in error
    else:
        error = packer.fails("pack", INDEX=str(package))
        assert "There is no pip for" in error
    assert f"Python {HERE}" in error and "pip.log" in error
    assert content_of(package) == before
    assert [path.name for path in package.parent.glob("*.unfinished")] == []


@only_posix
def test_keyboard_stops_a_download_and_leaves_what_was_there(packer, package):
    before = content_of(package)
    group = {"start_new_session": True}
    status, _, error = packer.call("pack", PIP_INTERRUPTS="group", popen=group)
    assert status == 130 and "Nothing is broken" in error
    assert content_of(package) == before
    assert [path.name for path in package.parent.glob("*.unfinished")] == []


def fill(folder, text):
    """Make a folder with one file in the way that a package is made."""
    with pack.whole_folder(folder) as new:
        write(new / "file", text)


@pytest.mark.parametrize("there", [True, False])
def test_folder_is_replaced_whole_or_not_at_all(tmp_path, there):
    folder = tmp_path / "packages" / "package"
    if there:
        fill(folder, "old")
    before = content_of(tmp_path)
    with pytest.raises(KeyboardInterrupt), pack.whole_folder(folder) as new:
        write(new / "file", "half")
        raise KeyboardInterrupt
    assert content_of(tmp_path) == before and folder.exists() == there
    fill(folder, "new")
    assert content_of(tmp_path) == {folder / "file": b"new"}
    assert [path.name for path in folder.parent.iterdir()] == ["package"]


@pytest.mark.parametrize("fails", [1, 2])
def test_folder_is_as_before_when_a_renaming_fails(tmp_path, monkeypatch, fails):
    folder = tmp_path / "package"
    fill(folder, "old")
    real, calls = os.rename, []

    def rename(old, new):
        calls.append(old)
        if len(calls) == fails:
            raise PermissionError(13, "a program has a file of it open")
        real(old, new)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PermissionError):
        fill(folder, "new")
    assert content_of(tmp_path) == {folder / "file": b"old"}


def test_folder_of_a_run_that_was_killed_between_two_renamings_comes_back(tmp_path):
    folder = tmp_path / "package"
    fill(folder, "old")
    folder.rename(tmp_path / ".package.replaced")
    with pytest.raises(KeyboardInterrupt), pack.whole_folder(folder):
        raise KeyboardInterrupt
    assert content_of(tmp_path) == {folder / "file": b"old"}


# -- With the real uv and pip, in a room without a network -------------------------------------


class RealPacker(Course):
    """A clone that packs with the uv and the pip of the running Python, from an index."""

    def __init__(self, parent, index):
        super().__init__(parent, fake=False)
        own = next(path.name.split("-")[:2] for path in index.glob("packaging-*"))
        write(self.root / "requirements.txt", f"probe==1.0\n{'=='.join(own)}\n")
        write(self.root / "tools" / "requirements.txt", "maintainers_probe==1.0\n")
        write(parent / "uv.toml", f"[pip]\nno-index = true\nfind-links = [{str(index)!r}]\n")
        self.environment.update(
            PIP_NO_INDEX="1", PIP_FIND_LINKS=index.as_uri(), UV_CONFIG_FILE=str(parent / "uv.toml")
        )
        make_clone(self)

    def pack(self, *words):
        """Make a package. Return its folder."""
        command = [sys.executable, "-m", "tools.pack", *words]
        options = {"cwd": self.root, "env": self.environment, "encoding": "utf-8"}
        done = subprocess.run(command, capture_output=True, **options)
        assert done.returncode == 0, done.stderr
        return max((self.root / "build" / "pack").iterdir(), key=os.path.getmtime)


@pytest.fixture(scope="module")
def real_packer(tmp_path_factory, index):
    """A course that packs with the real uv and pip."""
    if importlib.util.find_spec("uv") is None:
        pytest.skip("uv is missing: python3 course.py lint installs it")
    return RealPacker(tmp_path_factory.mktemp("packer"), index)


@pytest.fixture(scope="module")
def room(real_packer, tmp_path_factory):
    """A package with the tools, set up where every request to a network is refused."""
    room = Course(tmp_path_factory.mktemp("room"), lay=False)
    room.root = room.root.parent / "the stick" / FOLDER
    shutil.copytree(real_packer.pack("--tools"), room.root)
    room.environment.update(REFUSED)
    status, out, _ = room.call("check")
    assert status == 1 and "needs no network" in out
    # Where Python has no ensurepip, the package's own pip makes the environment.
    write(room.stubs / "sitecustomize.py", NO_ENSUREPIP)
    room.said = room.succeeds("solved")
    return room


NO_ENSUREPIP = """
import sys
if "venv" in sys.orig_argv and "--without-pip" not in sys.orig_argv:
    print("The virtual environment was not created because ensurepip is not available.")
    sys.exit(1)
sys.modules["virtualenv"] = None
"""


@full
def test_every_system_and_python_gets_its_own_wheels_and_no_others(real_packer):
    platforms = ["--platform", "windows", "mac", "linux"]
    folder = real_packer.pack(*platforms, "--python", "3.12", "3.11")
    found = {
        (target["system"], target["python"]): {name.partition("-")[0] for name in target["wheels"]}
        for target in manifest_of(folder)["targets"]
    }
    always = {"packaging", "pip"}
    assert found == {target: names | always for target, names in EXPECTED.items()}
    names = {path.name for path in folder.glob("wheels/*.whl")}
    assert {name for name in names if "cp311" in name} and {n for n in names if "cp312" in n}


@full
def test_package_is_installed_where_the_network_refuses(room):
    command = [echoed(room.said)["python"], "-c", "import probe, deepest; print(probe.__file__)"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert FOLDER in done.stdout, done.stderr
    assert "Installing the tools" in room.succeeds("lint")


@full
def test_what_is_not_in_the_package_is_named_and_the_environment_stays(room):
    wanted = (room.root / "requirements.txt").read_text("utf-8")
    room.mark_environment()
    write(room.root / "requirements.txt", wanted + "second_probe==1.0\n")
    error = room.fails("solved")
    assert "wheels (it was made for" in error and "holds no second_probe==1.0" in error
    # Without the package a network is asked, and refuses.
    (room.root / "wheels").rename(room.root / "elsewhere")
    assert "no connection to the package index" in room.fails("solved")
    assert room.is_same_environment() and room.ready.exists()
    # Complete, the environment needs neither.
    write(room.root / "requirements.txt", wanted)
    assert "Set up" not in room.succeeds("solved")
