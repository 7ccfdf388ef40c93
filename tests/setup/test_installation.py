"""pip and uv as the launcher runs them: why they failed, what they are doing, what they leave."""

import os
import sys

import pytest

from tools.setup import installation
from tools.setup.console import CourseError

FAILURES = {
    "full disk": ("ERROR: [Errno 28] No space left on device: '/x'", "no space left"),
    "quota": ("OSError: [Errno 122] Disk quota exceeded", "no space left"),
    "permission": ("ERROR: [Errno 13] Permission denied: '/x'", "may not be written"),
    "network": (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
        "ERROR: Could not find a version that satisfies the requirement probe==1.0\n"
        "ERROR: No matching distribution found for probe==1.0",
        "no connection to the package index",
    ),
    "network, says uv": (
        "error: Request failed after 3 retries in 9.2s\n  cause: Failed to fetch: http://x/simple/\n"
        "  cause: error sending request for url (http://x/simple/)\n  cause: dns error",
        "no connection to the package index",
    ),
    "network, and another index": (
        "Looking in indexes: https://ada:secret@mirror.example:8443/simple\n"
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'",
        "no connection to the package index mirror.example: check the network",
    ),
    "network, and an answer that stops": (
        "ReadTimeoutError: HTTPSConnectionPool(host='files.example', port=443): Read timed out.",
        "no connection to the package index files.example: check the network",
    ),
    "network, and the small build": (
        "Looking in indexes: https://download.pytorch.org/whl/cpu\n"
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'",
        "no connection to download.pytorch.org, which has the small build of PyTorch: check the",
    ),
    "certificate": ("SSLError(SSLCertVerificationError(1, '...'))", "certificate"),
    "certificate, says uv": (
        "  cause: error sending request for url (http://x/simple/)\n"
        "  cause: invalid peer certificate: UnknownIssuer",
        "certificate",
    ),
    "no version": (
        "ERROR: Could not find a version that satisfies the requirement probe==1.0 (from "
        "versions: none)\nERROR: No matching distribution found for probe==1.0",
        "finds no probe==1.0 for Python",
    ),
    "no version, says uv": (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because there is no version of probe==9 and you require probe==9, your "
        "requirements are unsatisfiable.\n\nhint: ...",
        "It failed: Because there is no version of probe==9 and you require",
    ),
    "long path": ("HINT: ... does not have Windows Long Path support enabled.", "short path"),
    "other": ("working\nERROR: something else broke\n", "It failed: ERROR: something else broke"),
    "silent": ("", "It failed: it printed nothing"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_cause_of_a_failure_is_one_sentence(name, monkeypatch):
    monkeypatch.setattr(installation.wheels, "found", lambda: False)
    printed, phrase = FAILURES[name]
    sentence = installation.cause_of(printed, "It failed")
    assert phrase in sentence and "\n" not in sentence


def test_missing_package_is_named_with_the_machine_it_was_wanted_for():
    printed = "ERROR: No matching distribution found for probe==1.0"
    assert installation.cause_of(printed, "", "a lathe") == "There is no probe==1.0 for a lathe."


def test_the_way_out_of_the_small_build_is_named_where_it_is_one():
    printed, _ = FAILURES["network, and the small build"]
    assert "take the ordinary build: " in installation.cause_of(printed, "")
    assert installation.cause_of(printed, "").endswith("lab --torch default")
    assert "lab" not in installation.cause_of(printed, "", "a lathe").partition("build")[2]
    assert "lab" not in installation.cause_of(*FAILURES["network"])


STEPS = {
    "": "Starting",
    "Collecting torch==2.13.0 (from -r x (line 1))\n": "Looking for torch==2.13.0",
    "Collecting a\n  Downloading https://x/torch-2.13.0-cp311-linux.whl (191.8 MB)\n": (
        "Downloading torch-2.13.0 (191.8 MB), 3 MB so far"
    ),
    "  Downloading a-1-py3.whl (2 kB)\nInstalling collected packages: a, b\n": (
        "Installing 2 packages"
    ),
}


@pytest.mark.parametrize("printed", STEPS)
def test_what_pip_is_doing_is_read_from_what_it_prints(printed, tmp_path):
    (tmp_path / "pip-unpack-x").mkdir()
    (tmp_path / "pip-unpack-x" / "torch.whl").write_bytes(bytes(3_000_000))
    assert installation.step(printed, tmp_path) == STEPS[printed]


@pytest.fixture
def run(tmp_path):
    """A function that runs a Python program as pip is run, with a log in tmp_path."""

    def run(source):
        command = [sys.executable, "-c", source]
        with open(tmp_path / "lock", "w") as lock:
            return installation.run(command, os.environ, tmp_path / "log", lock, "It failed")

    return run


TEMPORARY = "import tempfile; print(tempfile.gettempdir()); open(tempfile.mkstemp()[1], 'w')"


def test_each_run_adds_to_the_log_and_is_judged_by_its_own_words(run, tmp_path):
    assert run("print('timed out, but went on')").strip() == "timed out, but went on"
    with pytest.raises(CourseError, match="It failed: ERROR: an ä") as error:
        run("import sys; print('ERROR: an ä'); sys.exit(1)")
    assert str(tmp_path / "log") in str(error.value)
    log = (tmp_path / "log").read_text("utf-8")
    assert log.index("timed out") < log.index("an ä")


def test_temporary_files_lie_beside_the_log_and_are_removed(run, tmp_path):
    assert run(TEMPORARY).strip() == str(tmp_path / "tmp")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "log"]
