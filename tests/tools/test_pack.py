"""Packages for a room without a network: what is in them, and what a machine makes of them.

Packed is the small course of launcher_course.py, by its own `.venv` with the real pip, from an
index that is a folder. Nothing is downloaded.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from launcher_course import (
    FOLDER,
    Course,
    echoed,
    make_wheel,
    only_posix,
    write,
)
from package_index import EXPECTED

from tools import pack, settings
from tools.setup import wheels

HERE = "{}.{}".format(*sys.version_info)
# Nobody answers at port 9 of this machine, so that a request fails and is no success by chance.
REFUSED = {
    name: "http://127.0.0.1:9"
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
}


@pytest.fixture(scope="module")
def packer(tmp_path_factory, index):
    """A course that can pack: set up, with a README and the ignored names of the real one."""
    packer = Course(tmp_path_factory.mktemp("packer"), fake=False)
    own = [path.name.partition("-py3")[0].replace("-", "==") for path in index.glob("packaging-*")]
    write(packer.root / "requirements.txt", "\n".join(["probe==1.0", *own]) + "\n")
    write(packer.root / "tools" / "requirements.txt", "maintainers_probe==1.0\n")
    write(packer.root / "README.md", "# A small course\n")
    shutil.copy(settings.ROOT / ".gitignore", packer.root)
    packer.environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=index.as_uri())
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


def copy_of(package, parent):
    """Return a package as a course on a machine without a network, in a path with spaces."""
    copy = Course(parent, lay=False)
    copy.root = parent / "the stick" / FOLDER
    shutil.copytree(package, copy.root)
    copy.environment.update(REFUSED)
    return copy


@pytest.fixture
def copy(package, tmp_path):
    """A copy of the package, not set up yet."""
    return copy_of(package, tmp_path)


@pytest.fixture(scope="module")
def room(package, tmp_path_factory):
    """A copy of the package that is set up."""
    copy = copy_of(package, tmp_path_factory.mktemp("room"))
    copy.said = copy.succeeds("solved")
    copy.mark_environment()
    return copy


@pytest.fixture
def made_copy(room):
    """The copy that is set up, whose files are afterwards what they were."""
    kept = {path: path.read_bytes() for path in room.root.glob("*.txt")}
    kept.update(content_of(room.root / "wheels"))
    yield room
    for path, content in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def manifest_of(folder):
    """Return the manifest of a package's folder."""
    return json.loads((folder / "wheels" / "manifest.json").read_text("utf-8"))


def content_of(folder):
    """Return {path: bytes} of a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pretend(copy, **changes):
    """Let a package have been made for other machines: change what its manifest says of them."""
    content = manifest_of(copy.root)
    for target in content["targets"]:
        target.update(changes)
    write(copy.root / "wheels" / "manifest.json", json.dumps(content))


# -- What is in a package ----------------------------------------------------------------------


def test_package_is_installed_where_the_network_refuses(made_copy):
    done = subprocess.run(
        [echoed(made_copy.said)["python"], "-c", "import probe, deepest; print(probe.__file__)"],
        capture_output=True,
        encoding="utf-8",
    )
    assert FOLDER in done.stdout, done.stderr
    # Complete once, the environment needs the package no more.
    shutil.rmtree(made_copy.root / "wheels")
    assert "Set up" not in made_copy.succeeds("solved")
    # What is not there yet would be asked of the network: it did refuse.
    write(made_copy.root / "requirements.txt", "probe==2.0\n")
    assert "no connection to the package index" in made_copy.fails("solved")


def test_every_system_and_python_gets_its_own_wheels_and_no_others(packer):
    words = ["--platform", "windows", "mac", "linux", "--python", "3.12", "3.11"]
    folder, out = packed(packer, *words)
    content = manifest_of(folder)
    found = {
        (target["system"], target["python"]): {name.partition("-")[0] for name in target["wheels"]}
        for target in content["targets"]
    }
    always = {"packaging", "pip"}
    assert found == {target: names | always for target, names in EXPECTED.items()}
    names = {path.name for path in folder.glob("wheels/*.whl")}
    assert names == set(content["wheels"]) and f"{len(names)} wheels" in out
    assert {name for name in names if "cp311" in name} and {n for n in names if "cp312" in n}
    text = (folder / "READ-ME-FIRST.txt").read_text("utf-8")
    for words in ("A small course", "py -3.11 course.py lab", "macOS", "Linux", "3.11 or 3.12"):
        assert words in text


def test_checksums_are_those_of_the_wheels(package):
    for name, published in manifest_of(package)["wheels"].items():
        assert wheels.fingerprint(package / "wheels" / name) == published["sha256"]
        assert (package / "wheels" / name).stat().st_size == published["bytes"]


@pytest.mark.parametrize("with_git", [True, False])
def test_only_the_course_itself_is_copied(packer, with_git):
    private = ["work/mine.ipynb", "build/old/page.html", "utils/__pycache__/a.pyc", ".DS_Store"]
    for name in [*private, "marks.csv"]:
        write(packer.root / name, "private")
    write(packer.root / "data" / "Äpfel.txt", "")
    if with_git:
        if not shutil.which("git"):
            pytest.skip("needs git")
        for words in (["init", "--quiet"], ["add", "--all"], ["reset", "--quiet", "marks.csv"]):
            subprocess.run(["git", *words], cwd=packer.root, check=True, capture_output=True)
    try:
        folder, out = packed(packer)
    finally:
        (packer.root / "marks.csv").unlink()
        shutil.rmtree(packer.root / ".git", ignore_errors=True)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"course.py", "tools/pack.py", "data/Äpfel.txt", "notebooks/01_tensors.ipynb"} <= names
    assert not names & {*private, ".git/HEAD", ".venv.lock"}
    assert not any(name.startswith(".venv") for name in names)
    # git tells private files from the course's, and what it does not know is said.
    assert ("marks.csv" in names) != with_git
    assert ("marks.csv" in out) == with_git


def test_tools_are_in_a_package_that_was_made_with_them(packer, made_copy):
    assert "pack --tools" in made_copy.fails("lint")
    folder, _ = packed(packer, "--tools")
    shutil.rmtree(made_copy.root / "wheels")
    shutil.move(folder / "wheels", made_copy.root)
    assert "Installing the maintainers' tools" in made_copy.succeeds("lint")


def test_second_package_takes_what_was_downloaded_for_the_first(packer, package):
    folder, _ = packed(packer)
    said = (packer.root / "build" / "wheels" / "pip.log").read_text("utf-8")
    assert "already downloaded" in said and "Saved" not in said


def test_download_that_was_cut_short_is_made_again(packer, package):
    (cut,) = (packer.root / "build" / "wheels").glob("deepest-*")
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    folder, _ = packed(packer)
    assert (folder / "wheels" / cut.name).read_bytes() == whole


# -- Whole or not at all -----------------------------------------------------------------------


def test_package_stays_when_the_next_cannot_be_made(packer, package, index):
    before = content_of(package)
    (missing,) = index.glob("deepest-*")
    shutil.move(missing, index.parent / "aside.whl")
    try:
        error = packer.fails("pack")
    finally:
        shutil.move(index.parent / "aside.whl", missing)
    assert "no wheel of deepest" in error and f"Python {HERE}" in error
    assert content_of(package) == before
    assert [path.name for path in package.parent.glob("*.unfinished")] == []


STOP = """
import os, signal, sys, threading
if "STOP_PIP" in os.environ and "download" in sys.orig_argv:
    os.killpg(os.getpgid(0), signal.SIGINT)
    threading.Event().wait()
"""


@only_posix
def test_keyboard_stops_a_download_and_leaves_what_was_there(packer, package):
    before = content_of(package)
    # Python runs such a line when it starts; a sitecustomize.py would give way to the system's.
    library = next(packer.venv.glob("lib/python*/site-packages"))
    write(library / "stop_pip.py", STOP)
    write(library / "stop_pip.pth", "import stop_pip\n")
    group = {"start_new_session": True}
    status, _, error = packer.call("pack", STOP_PIP="1", popen=group)
    assert status == 130 and "Nothing is broken" in error
    assert content_of(package) == before
    assert [path.name for path in package.parent.glob("*.unfinished")] == []
    packed(packer)


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


# -- A machine that the package does not serve, or a package that is not whole -----------------


def test_package_for_another_system_says_so(copy):
    pretend(copy, system="BeOS", text="BeOS (64-bit)")
    error = copy.fails("solved")
    assert "was made for BeOS (64-bit) with Python" in error
    assert wheels.this_machine_described() in error
    assert len(error.strip().splitlines()) == 1 and not copy.venv.exists()


def test_package_for_another_python_says_what_to_type(copy):
    pretend(copy, python="3.99")
    error = copy.fails("solved")
    assert "with Python 3.99, and this is" in error and f"Python {HERE}" in error
    assert "3.99 course.py lab" in error and not copy.venv.exists()


@pytest.mark.parametrize(
    "damage, phrase",
    [
        ("missing", "is missing"),
        ("cut short", "is damaged (100 of"),
        ("altered", "its checksum is another"),
        ("two", "and 1 more of"),
    ],
)
def test_package_that_is_not_whole_names_the_wheel(copy, damage, phrase):
    (path,) = (copy.root / "wheels").glob("deepest-*")
    content = path.read_bytes()
    if damage == "cut short":
        path.write_bytes(content[:100])
    elif damage == "altered":
        path.write_bytes(content[:-50] + b"X" + content[-49:])
    else:
        path.unlink()
    if damage == "two":
        next((copy.root / "wheels").glob("probe-*")).unlink()
    error = copy.fails("solved")
    assert path.name in error and phrase in error and "copy the whole package again" in error
    assert len(error.strip().splitlines()) == 1 and not copy.venv.exists()
    status, out, _ = copy.call("check")
    assert status == 1 and path.name in out


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"targets": [], "wheels": {}}', '{"targets": [1]}']
)
def test_damaged_manifest_is_said(copy, content):
    write(copy.root / "wheels" / "manifest.json", content)
    assert "manifest.json is damaged" in copy.fails("solved")


def test_environment_that_is_there_stays_when_the_package_does_not_serve(made_copy):
    pretend(made_copy, system="BeOS")
    write(made_copy.root / "requirements.txt", "probe==2.0\n")
    assert "was made for" in made_copy.fails("solved")
    assert made_copy.is_same_environment() and made_copy.ready.exists()


def test_requirement_that_is_not_in_the_package_is_named(made_copy):
    write(made_copy.root / "requirements.txt", "probe==1.0\nsecond_probe==1.0\n")
    error = made_copy.fails("solved")
    assert "wheels (it was made for" in error and "holds no second_probe==1.0" in error
    assert made_copy.is_same_environment() and made_copy.ready.exists()


def test_folder_filled_by_hand_says_what_it_lacks(new_course):
    make_wheel(new_course.root / "wheels", "probe")
    lacks = "ERROR: No matching distribution found for numpy==2.4.6"
    error = new_course.fails("solved", PIP_SAYS=lacks, PIP_FAILS="1")
    assert "The folder wheels holds no numpy==2.4.6 for" in error
    assert wheels.this_machine_described() in error
    assert "--no-index" in new_course.pip_calls()[0]


def test_package_without_the_tools_says_how_it_gets_them(copy):
    error = copy.fails("lint")
    assert "maintainers' tools" in error and "pack --tools" in error
    assert not copy.venv.exists()


@pytest.mark.parametrize("has, asked", [("2.13.0+cpu", "default"), ("2.13.0", "cpu")])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has two builds")
def test_package_with_another_build_of_torch_says_so(copy, has, asked):
    pretend(copy, torch=has)
    error = copy.fails("solved", "--torch", asked)
    assert "only" in error and f"pack --torch {asked}" in error and not copy.venv.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has two builds")
def test_package_with_cuda_says_how_much_space_it_needs(copy):
    free = (
        "import shutil\nshutil.disk_usage = lambda path: shutil._ntuple_diskusage(9e9, 4e9, 5e9)\n"
    )
    write(copy.stubs / "sitecustomize.py", free)
    write(copy.root / "requirements.txt", "torch==2.13.0\n")
    write(copy.root / "wheels" / "nvidia_probe-1.0-py3-none-any.whl", "")
    error = copy.fails("solved")
    assert "needs about 8 GB" in error and "--torch cpu" not in error


def test_check_says_that_no_network_is_needed(copy, made_copy):
    status, out, _ = copy.call("check")
    assert status == 1 and "needs no network" in out
    assert "wheels" not in made_copy.succeeds("check")


NO_ENSUREPIP = """
import sys
if "venv" in sys.orig_argv and "--without-pip" not in sys.orig_argv:
    print("The virtual environment was not created because ensurepip is not available.")
    sys.exit(1)
sys.modules["virtualenv"] = None
"""


def test_python_without_ensurepip_takes_the_packages_pip(copy):
    write(copy.stubs / "sitecustomize.py", NO_ENSUREPIP)
    started = echoed(copy.succeeds("solved"))
    subprocess.run([started["python"], "-m", "pip", "--version"], check=True, capture_output=True)
    shutil.rmtree(copy.root / "wheels")
    copy.ready.unlink()
    assert "ensurepip" in copy.fails("solved")


@pytest.mark.parametrize("words", [["--platform", "amiga"], ["--python", "2.7"], ["now"]])
def test_words_that_pack_does_not_know_are_refused(packer, words):
    status, _, error = packer.call("pack", *words)
    assert status == 2 and "usage" in error
