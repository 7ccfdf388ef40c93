"""A small copy of the course, in which the launcher's tests start it.

The folder's name has spaces and umlauts. Most copies make their environment with stand-ins for
venv, pip and uv, which do what the test says. Nothing is downloaded.
"""

import base64
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import settings

ROOT = settings.ROOT
FOLDER = "Kürs für Anfänger"
WINDOWS = os.name == "nt"
only_posix = pytest.mark.skipif(WINDOWS, reason="signals and pseudo-terminals of POSIX")

# Stands in for `python -m venv`: an environment with the pip and the uv below.
FAKE_VENV = """
import os, pathlib, shutil, subprocess, sys
target, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
if here.name == "venv" and "NO_ENSUREPIP" in os.environ:
    (target / "pyvenv.cfg").touch()
    sys.exit("The virtual environment was not created because ensurepip is not available.")
if os.name == "nt":
    command = [sys.executable, "-I", "-m", "venv", "--without-pip", str(target)]
    subprocess.run(command, check=True)
else:
    python = pathlib.Path(sys._base_executable)
    (target / "bin").mkdir()
    (target / "bin" / "python").symlink_to(python)
    settings = "home = " + str(python.parent) + "\\ninclude-system-site-packages = false\\n"
    (target / "pyvenv.cfg").write_text(settings)
version = "python%d.%d" % sys.version_info[:2]
library = target / ("Lib" if os.name == "nt" else "lib/" + version) / "site-packages"
for module in ("pip", "uv"):
    shutil.copytree(here.parent / module, library / module)
"""

# Stands in for pip: notes how it was called, says what PIP_SAYS holds, fails if PIP_FAILS.
# What it is to download, it takes from the folder INDEX.
FAKE_PIP = """
import json, os, pathlib, shutil, signal, sys, threading
with open(os.environ["PIP_CALLS"], "a", encoding="utf-8") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
print(os.environ.get("PIP_SAYS", "Collecting a\\nInstalling collected packages: a, b"), flush=True)
if "PIP_INTERRUPTS" in os.environ:
    if os.environ["PIP_INTERRUPTS"] == "group":
        os.killpg(os.getpgid(0), signal.SIGINT)
    else:
        os.kill(os.getppid(), signal.SIGINT)
    threading.Event().wait()
if "PIP_FAILS" in os.environ:
    sys.exit(1)
if sys.argv[1] == "download":
    after = dict(zip(sys.argv, sys.argv[1:]))
    wanted = sys.argv[-1:]
    if "--requirement" in after:
        wanted += pathlib.Path(after["--requirement"]).read_text().split()
    for word in wanted:
        found = list(pathlib.Path(os.environ["INDEX"]).glob(word.replace("==", "-") + "[-+]*.whl"))
        if not found:
            sys.exit("ERROR: No matching distribution found for " + word)
        there = pathlib.Path(after["--dest"]) / found[0].name
        print("File was already downloaded" if there.exists() else "Saved", there)
        shutil.copy(found[0], there)
"""

# Stands in for uv: finds that `probe` and `deepest` are needed.
FAKE_UV = """
import json, os, sys
with open(os.environ["PIP_CALLS"], "a", encoding="utf-8") as file:
    file.write(json.dumps(["uv", *sys.argv[1:]]) + "\\n")
if "UV_SAYS" in os.environ:
    sys.exit(os.environ["UV_SAYS"])
with open(sys.argv[sys.argv.index("--output-file") + 1], "w") as file:
    file.write("probe==1.0\\ndeepest==1.0\\n")
"""

# Programs that the launcher hands over to: each says how it was started.
ECHO = """
import json, os, sys
print(json.dumps({"program": __name__ and sys.argv[0], "python": sys.executable, "arguments":
      sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ)}))
sys.exit(int(os.environ.get("ENDS_WITH", "0")))
"""

ECHOING = (
    "tools/notebooks/solved.py",
    "tools/present/site.py",
    "tools/present/live_slides.py",
    "tools/bench.py",
)

FAKE_LAB = """
import json
class LabApp:
    @staticmethod
    def launch_instance(arguments):
        print(json.dumps({"arguments": arguments}))
"""

FAKE_SERVERS = """
import os
def list_running_servers():
    return []
class ServerApp:
    config = {"IdentityProvider": {"token": os.environ["TOKEN"]} if "TOKEN" in os.environ else {}}
    def load_config_file(self):
        self.config = {"ServerApp": {}, **self.config}
"""

NOTEBOOKS = {"00_start_here": "1 + 1", "01_tensors": "2 + 2"}


def notebook(source, outputs=True):
    """Return the text of a notebook with one note and one cell of code."""
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    result["data"] = {"text/plain": ["4"]}
    code = {"cell_type": "code", "id": "code", "metadata": {}, "source": [source]}
    code["execution_count"] = 1 if outputs else None
    code["outputs"] = [result] if outputs else []
    note = {"cell_type": "markdown", "id": "note", "metadata": {}, "source": ["Zwei Äpfel"]}
    whole = {"cells": [note, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def write(path, text):
    """Write a file and the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_wheel(folder, name, version="1.0", requires=(), extras=(), tag="py3-none-any"):
    """Make an installable package with one empty module. Return its path."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Provides-Extra: {extra}\n" for extra in extras)
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    contents = {
        f"{name}.py": "",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        f"Tag: {tag}\n",
    }
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{path},sha256={digest.rstrip('=')},{len(text)}\n"
    contents[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(path, text)
    return Path(wheel.filename)


def make_wheel_of(folder, name):
    """Make a wheel of a package that is installed here, and without programs. Return its path."""
    installed = importlib.metadata.distribution(name)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in installed.files:
            if ".." not in file.parts and file.suffix != ".pyc" and file.locate().is_file():
                wheel.write(file.locate(), file.as_posix())
    return path


class Course:
    """A copy of the launcher with what it needs, and a way to call it."""

    def __init__(self, parent, fake=True, lay=True):
        self.root = parent / FOLDER
        self.stubs = parent / "stubs"
        self.calls = parent / "calls"
        if lay:
            self.lay_files(fake)
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "COURSE_", "PYTHON", "JUPYTER"))
        }
        self.environment.update(
            PIP_CONFIG_FILE=os.devnull,
            PIP_CALLS=str(self.calls),
            PYTHONPATH=str(self.stubs),
            PYTHONIOENCODING="utf-8",
        )

    def lay_files(self, fake):
        """Lay the launcher and its stand-ins; `fake` says whether venv and pip are among these."""
        # With what Python has compiled of it; what presents notebooks is only echoed.
        present = shutil.ignore_patterns("present")
        shutil.copytree(ROOT / "tools", self.root / "tools", ignore=present)
        shutil.copy(ROOT / "course.py", self.root)
        write(self.root / "tools" / "requirements.txt", "# none\n")
        write(self.root / "requirements.txt", "probe==1.0\n")
        for program in ("pytest.py", "ruff.py", *ECHOING):
            write(self.root / program, ECHO)
        # What the launcher imports is real; run as a program, utils.machine is an echo too.
        for module in (
            "__init__.py",
            "machine.py",
            "folders.py",
            "exercises/__init__.py",
            "exercises/record.py",
        ):
            source = (ROOT / "utils" / module).read_text("utf-8").partition("if __name__")[0]
            write(self.root / "utils" / module, source)
        with open(self.root / "utils" / "machine.py", "a", encoding="utf-8") as file:
            file.write('if __name__ == "__main__":' + ECHO.replace("\n", "\n    "))
        write(self.root / "jupyterlab" / "labapp.py", FAKE_LAB)
        write(self.root / "jupyter_server" / "serverapp.py", FAKE_SERVERS)
        for name, source in NOTEBOOKS.items():
            self.publish(name, source)
        if fake:
            for module in ("venv", "virtualenv_off"):
                write(self.stubs / module / "__main__.py", FAKE_VENV)
            write(self.stubs / "pip" / "__main__.py", FAKE_PIP)
            write(self.stubs / "uv" / "__main__.py", FAKE_UV)
            # Only a package with this file comes before the standard library's.
            for module in ("venv", "pip", "uv"):
                write(self.stubs / module / "__init__.py", "")
        self.stubs.mkdir(exist_ok=True)

    venv = property(lambda self: self.root / ".venv")
    ready = property(lambda self: self.venv / "course-ready.json")
    work = property(lambda self: self.root / "work")
    state = property(lambda self: self.work / ".course.json")

    def start(self, *arguments, python=sys.executable, **options):
        """Start a command. Variables are given by name, options of Popen as `popen`."""
        popen = options.pop("popen", {})
        return subprocess.Popen(
            [python, str(self.root / "course.py"), *arguments],
            env={**self.environment, **options},
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            **popen,
        )

    def call(self, *arguments, **options):
        """Run a command to its end. Return (exit status, stdout, stderr)."""
        process = self.start(*arguments, **options)
        try:
            out, error = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert "Traceback" not in out + error, error
        return process.returncode, out, error

    def succeeds(self, *arguments, **options):
        """Run a command that must succeed. Return what it printed."""
        status, out, error = self.call(*arguments, **options)
        assert status == 0, (status, out, error)
        return out

    def fails(self, *arguments, **options):
        """Run a command that must fail with sentences on stderr. Return them."""
        status, _, error = self.call(*arguments, **options)
        assert status == 1, (status, error)
        assert 0 < len(error.strip().splitlines()) <= 2, error
        return error

    def pip_calls(self):
        """Return the arguments of each call of the stand-ins for pip and uv."""
        if not self.calls.exists():
            return []
        return [json.loads(line) for line in self.calls.read_text("utf-8").splitlines()]

    def mark_environment(self):
        """Leave a file in the environment: it is gone if the environment is made again."""
        (self.venv / "mark").touch()

    def is_same_environment(self):
        """Return whether the environment is still the one that was marked."""
        return (self.venv / "mark").exists()

    def publish(self, name, source):
        """Publish a notebook, as refreshed: with outputs."""
        write(self.root / "notebooks" / f"{name}.ipynb", notebook(source))

    def copies(self):
        """Return the names of the notebooks in the student's folder."""
        return sorted(path.name for path in self.work.glob("*.ipynb"))

    def edit(self, name, text="my own answer"):
        """Change a copy as a student does, and return its new content."""
        path = self.work / f"{name}.ipynb"
        path.write_text(path.read_text("utf-8").replace("+", f"+ # {text}\\n"), "utf-8")
        return path.read_bytes()


def made_like(template, parent):
    """Return a copy of a course that is set up, as if it had been set up where it now lies."""
    copy = Course(parent, lay=False)
    shutil.copytree(template.root, copy.root, symlinks=True)
    shutil.copytree(template.stubs, copy.stubs, dirs_exist_ok=True)
    shutil.copy(template.calls, copy.calls)
    ready = json.loads(copy.ready.read_text("utf-8"))
    write(copy.ready, json.dumps({**ready, "folder": str(copy.root)}))
    (copy.venv / "mark").touch()
    return copy


def echoed(out):
    """Return what a program that the launcher started says of itself."""
    return json.loads(out.strip().splitlines()[-1])


def works(python, **popen):
    """Return whether a Python runs, for another user by options of Popen."""
    try:
        done = subprocess.run([python, "-c", ""], capture_output=True, **popen)
    except OSError:
        return False
    return done.returncode == 0
