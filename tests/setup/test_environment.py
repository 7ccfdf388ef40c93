"""The lists of packages, the versions of Python and the tests' settings say the same everywhere."""

import re
import shutil
import subprocess
import tomllib

import pytest

from tools import settings
from tools.setup.environment import TORCH_CPU_INDEX
from utils import SUPPORTED

ROOT = settings.ROOT
PYTHONS = ["{}.{}".format(*version) for version in SUPPORTED]
REQUIREMENTS = ["requirements.txt", "tools/requirements.txt", "data/requirements.txt"]

# Where packages come from is the reader's own setting: a name here would break behind a mirror.
# PyTorch's own index is the one exception, for its small build.
REGISTRIES = [
    r"pypi\.org",
    r"pythonhosted\.org",
    r"npmjs\.(org|com)",
    r"anaconda\.(org|com)/",
    r"//[\w.-]*(mirror|artifactory|nexus|registry)[\w.-]*",
    r"//(localhost|127\.0\.0\.1|10\.\d+|192\.168)[\w.:]*/(simple|pypi)",
]
DEVELOPERS_PATHS = [
    r"(?<![\w.~])/(home|Users)/(?!(you|student|name)\b)\w+",
    r"(?<![\w.])/root\b",
    r"(?<![\w./])/(work|opt|mnt|srv)/\w",
    r"[A-Z]:\\Users\\",
]
# The addresses that these files test with belong to this computer, and nobody answers there.
TEST_ADDRESSES = {"tests/setup/test_launcher_setup.py", "tests/setup/test_environment.py"}


def lines_of(path):
    """Return the requirements of a file, without comments."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("path", REQUIREMENTS)
def test_every_requirement_is_pinned_exactly(path):
    for line in lines_of(path):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\d+(\.\d+)+", line), f"{path}: {line}"


def test_no_package_is_pinned_twice():
    names = [line.partition("==")[0].lower() for path in REQUIREMENTS for line in lines_of(path)]
    assert len(names) == len(set(names))


def test_torch_is_the_version_that_was_tried():
    assert "torch==2.13.0" in lines_of("requirements.txt")


def test_environment_yml_takes_its_packages_from_requirements_txt():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = re.findall(r"^\s*- (.+)$", text, flags=re.MULTILINE)
    python = [entry for entry in entries if entry.startswith("python=")]
    assert len(python) == 1 and python[0].partition("=")[2] in PYTHONS
    assert sorted(set(entries) - set(python)) == [
        "-r requirements.txt",
        "conda-forge",
        "pip",
        "pip:",
    ]


def test_the_environment_for_images_differs_by_the_index_of_the_small_build_alone():
    whole, small = (
        [
            line
            for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ]
        for name in ("environment.yml", "environment-cpu.yml")
    )
    (index,) = [line for line in small if line not in whole]
    assert index == f"      - --extra-index-url {TORCH_CPU_INDEX}"
    assert [line for line in small if line != index] == whole
    weekly = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert "--file environment-cpu.yml" in weekly and '[ "$size" -lt 2500 ]' in weekly


def test_workflow_runs_supported_pythons_on_three_systems():
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    pythons = re.findall(r'python: "([\d.]+)"', text)
    assert set(pythons) <= set(PYTHONS)
    assert {PYTHONS[0], PYTHONS[-1]} <= set(pythons)
    assert set(re.findall(r"system: (\w+)-", text)) == {"ubuntu", "windows", "macos"}


def test_code_is_checked_for_the_oldest_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = project["tool"]["ruff"]["target-version"]
    assert oldest == "py" + PYTHONS[0].replace(".", "")


def test_pytest_settings_compare_every_output_of_every_notebook():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert "--nbval" in options["addopts"] and "--no-loadscope-reorder" in options["addopts"]
    assert set(options["testpaths"]) == {"tests", "notebooks"}
    assert {"work", "build"} <= set(options["norecursedirs"])


def tracked_texts():
    """Return {path: text} of the files that git knows, without those that are no text."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("needs git, in a clone")
    # Also what is new and not ignored: it is about to be tracked.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        pytest.skip("git does not answer for this folder")
    texts = {}
    for name in done.stdout.decode("utf-8").split("\0"):
        path = ROOT / name
        if not name or not path.is_file():
            continue
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def test_no_file_names_a_registry_or_a_developers_folder():
    found = []
    for name, text in tracked_texts().items():
        if name in TEST_ADDRESSES:
            continue
        for pattern in REGISTRIES + DEVELOPERS_PATHS:
            found += [f"{name}: {match.group()}" for match in re.finditer(pattern, text)]
    assert not found


def test_ci_runs_what_the_readme_names_and_the_workflow_runs_ci():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in text
    for command in ("test --full", "test --other-cpu", "lint"):
        assert f'python3 course.py {command} "$@"' in text
    assert "data/build.py --check" in text
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "run: .ci/run" in workflow and "run: python course.py test --full" in workflow
    weekly = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert "requirements.txt > newest.txt" in weekly and "-m computes" in weekly
