"""A package's folder `wheels/`: whom it serves, and whether it is whole, in one sentence."""

import hashlib
import json

import pytest

from tools.setup import wheels
from tools.setup.console import CourseError

SYSTEM, MACHINE, PYTHON = wheels.this_machine()
CONTENT = {"probe-1.0-py3-none-any.whl": b"x" * 200, "deepest-1.0-py3-none-any.whl": b"y" * 300}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A whole folder that serves this machine; write(changes) changes what it says of itself."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setattr(wheels, "FOLDER", folder)
    monkeypatch.setattr(wheels, "MANIFEST", folder / "manifest.json")
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    write(folder)
    return folder


def write(folder, **changes):
    """Write the manifest of a folder, with other words about its only target."""
    target = {
        "system": SYSTEM,
        "machine": MACHINE,
        "python": PYTHON,
        "text": "This system",
        "torch": "",
        "wheels": list(CONTENT),
    }
    listed = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in CONTENT.items()
    }
    content = {"tools": False, "targets": [{**target, **changes}], "wheels": listed}
    (folder / "manifest.json").write_text(json.dumps(content), "utf-8")


def refusal(*arguments):
    """Return the sentence with which a folder is refused."""
    with pytest.raises(CourseError) as error:
        wheels.check(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_folder_that_serves_this_machine_and_is_whole_is_accepted(folder):
    wheels.check()


def test_folder_for_another_system_says_so(folder):
    write(folder, system="BeOS", text="BeOS (64-bit)")
    assert "was made for BeOS (64-bit) with Python" in refusal()
    assert wheels.this_machine_described() in refusal()


def test_folder_for_another_python_says_what_to_type(folder):
    write(folder, python="3.99")
    assert "with Python 3.99, and this is" in refusal() and f"Python {PYTHON}" in refusal()
    assert "3.99 course.py lab" in refusal()


@pytest.mark.parametrize(
    "damage, phrase",
    [
        ("missing", "is missing"),
        ("cut short", "is damaged (100 of 300 bytes)"),
        ("altered", "its checksum is another"),
        ("two", "and 1 more of 2 are not right"),
    ],
)
def test_folder_that_is_not_whole_names_the_wheel(folder, damage, phrase):
    path = folder / "deepest-1.0-py3-none-any.whl"
    if damage == "cut short":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "altered":
        path.write_bytes(b"z" * 300)
    else:
        path.unlink()
    if damage == "two":
        (folder / "probe-1.0-py3-none-any.whl").unlink()
    assert phrase in refusal() and "copy the whole package again" in refusal()
    assert damage == "two" or path.name in refusal()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"targets": [], "wheels": {}}', '{"targets": [1]}']
)
def test_damaged_manifest_is_said(folder, content):
    (folder / "manifest.json").write_text(content)
    assert "manifest.json is damaged" in refusal()


def test_folder_without_the_tools_says_how_to_get_them(folder):
    assert "maintainers' tools" in refusal(None, True) and "pack --tools" in refusal(None, True)


@pytest.mark.parametrize("has, asked", [("2.13.0+cpu", "default"), ("2.13.0", "cpu")])
def test_folder_with_another_build_of_torch_says_so(folder, monkeypatch, has, asked):
    monkeypatch.setattr(wheels, "this_machine", lambda: ("Linux", MACHINE, PYTHON))
    write(folder, system="Linux", torch=has)
    wheels.check()
    assert "only" in refusal(asked) and f"pack --torch {asked}" in refusal(asked)


def test_folder_that_was_filled_by_hand_says_what_it_lacks(folder):
    (folder / "manifest.json").unlink()
    wheels.check()
    assert "The folder wheels holds no numpy==2.4.6 for" in wheels.lacks("numpy==2.4.6")
