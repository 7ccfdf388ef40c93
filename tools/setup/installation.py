"""pip, run with its output in a log, a line of progress, and one sentence where it fails.

Standard library only: it runs before anything is installed.
"""

import contextlib
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools.setup import wheels
from tools.setup.console import CourseError, say

# What pip prints, and what to say. The first that matches is the cause: a full disk or a broken
# network shows up as a missing version further down.
CAUSES = (
    (
        r"No space left on device|Errno 28\b|Disk quota exceeded|not enough space on the disk",
        "There is no space left on the disk: free some, then start the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError",
        "Something between this computer and the package index (a proxy, a virus scanner) changes "
        "secure connections: ask who runs the network for its certificate and set PIP_CERT to it.",
    ),
    (
        r"Windows Long Path support",
        "The path of the course folder is too long for Windows: move the folder to a short path "
        "such as C:\\course, then start again.",
    ),
    (
        r"Permission denied|Access is denied|Read-only file system|Errno 13\b|WinError 5\b",
        "A file may not be written: close programs that use .venv, or copy the course folder to a "
        "place where you may write, then start again.",
    ),
    (
        r"connection broken|Failed to establish a new connection|Max retries exceeded"
        r"|Name or service not known|getaddrinfo failed|name resolution|Network is unreachable"
        r"|ConnectTimeoutError|ReadTimeoutError|ProxyError|Connection (refused|reset)|timed out",
        "There is no connection to the package index: check the network (or the proxy settings), "
        "then start the same command again.",
    ),
)


def cause_of(output, otherwise, no_version=None):
    """Return one sentence that says why `output`, a program's last words, ended in failure.

    `no_version` makes the sentence for a requirement that no version fits.
    """
    for pattern, sentence in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return sentence
    unmatched = re.search(r"No matching distribution found for ([^\s(]+)", output)
    if unmatched:
        return (no_version or no_version_of)(unmatched.group(1))
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return f"{otherwise}: {(errors or lines or ['it printed nothing'])[-1]}"


def no_version_of(requirement):
    """Return the sentence for a package that pip finds in no version that fits this machine."""
    if wheels.found():
        return wheels.lacks(requirement)
    version = ".".join(str(number) for number in sys.version_info[:2])
    place = f"Python {version} on {platform.system()} {platform.machine()}"
    sentence = f"pip finds no {requirement} for {place}"
    if os.environ.get("PIP_NO_INDEX"):
        return f"{sentence}: the variable PIP_NO_INDEX keeps it from looking on the network."
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return (
            f"{sentence}: PyTorch serves Macs with Apple's own processors only. If this is one, "
            "install the Python for it from https://www.python.org/downloads/"
        )
    return f"{sentence}: try another of the supported Pythons, or see the log."


def pip_install(python, arguments, variables, log, lock, progress):
    """Run `python -m pip install ARGUMENTS`, as `run_pip` does."""
    packages = site_packages(python)
    command = [str(python), "-m", "pip", "install", *common_options(packages), *arguments]
    run_pip(command, variables, log, lock, progress, packages)


def common_options(packages):
    """Return the options that each run of pip gets, for the pip in the folder `packages`."""
    style = progress_style(packages)
    return ["--no-input", "--disable-pip-version-check", "--progress-bar", style]


def run_pip(command, variables, log, lock, progress, packages=None, no_version=None):
    """Run a command of pip, appending what it prints to the file `log`. Return what it printed.

    pip inherits the open file `lock`, so that the lock holds as long as pip works even if this
    process is killed. `packages` is the folder that pip installs into, if it does. Raises
    CourseError with the cause in one sentence; `no_version` is for `cause_of`.
    """
    temporary = log.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    variables = dict(variables)
    # Without a network pip would try for minutes.
    variables.setdefault("PIP_RETRIES", "1")
    variables.setdefault("PIP_DEFAULT_TIMEOUT", "15")
    variables.update(PIP_USER="0", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    # The system's own folder for temporary files is often too small for torch.
    variables.update(TMPDIR=str(temporary), TEMP=str(temporary), TMP=str(temporary))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=variables,
        **({} if os.name == "nt" else {"pass_fds": [lock.fileno()]}),
    )
    try:
        output = follow(process, packages, log, progress)
    finally:
        progress.clear()
        if process.poll() is None:
            stop(process)
        shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode != 0:
        cause = cause_of(output, "pip could not get the packages", no_version)
        raise CourseError(f"{cause}\nWhat pip said is in {log}")
    return output


def stop(process):
    """End a process that is no longer wanted."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def site_packages(python):
    """Return the folder that pip installs into, for the Python of an environment."""
    environment = Path(python).parent.parent
    if os.name == "nt":
        return environment / "Lib" / "site-packages"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return environment / "lib" / version / "site-packages"


def installed(packages):
    """Return the names of the packages' folders of metadata, one a package."""
    with contextlib.suppress(OSError):
        return [name for name in os.listdir(packages or "") if name.endswith(".dist-info")]
    return []


def progress_style(packages):
    """Return how pip is to report a download: since 24.1 it can count bytes for programs."""
    for name in installed(packages):
        found = re.match(r"pip-(\d+)\.(\d+)", name)
        if found and (int(found.group(1)), int(found.group(2))) >= (24, 1):
            return "raw"
    return "off"


def follow(process, packages, log, progress):
    """Write what pip prints to `log` and show how far it is. Return all that it printed."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    def take(line):
        if line.startswith("Progress "):
            progress.read(line)
            return
        file.write(line)
        file.flush()
        printed.append(line)
        if line.startswith("Installing collected packages:"):
            progress.before = len(installed(packages))
        progress.read(line.strip())

    threading.Thread(target=read, daemon=True).start()
    printed = []
    with open(log, "a", encoding="utf-8") as file:
        try:
            while True:
                with contextlib.suppress(queue.Empty):
                    line = lines.get(timeout=0.2)
                    if line is None:
                        break
                    take(line)
                progress.count(packages)
                progress.show()
        except BaseException:
            # Whoever mends this has to know how far pip was.
            stop(process)
            with contextlib.suppress(queue.Empty):
                while (line := lines.get(timeout=5)) is not None:
                    take(line)
            raise
    process.wait()
    return "".join(printed)


class Progress:
    """One line on a terminal that says how far pip is; elsewhere a plain line now and then.

    `total` is the number of packages to install, 0 until pip has announced it: before that
    nothing that was installed has been changed.
    """

    def __init__(self):
        self.started = time.monotonic()
        self.text = "starting"
        self.collected = self.done = self.total = self.before = 0
        self.wanted = os.environ.get("COURSE_PROGRESS") != "0"
        self.live = self.wanted and sys.stdout.isatty()
        self.shown = 0  # on a terminal: the line's length; elsewhere: when the last line came

    def read(self, line):
        """Take in one line of pip's output."""
        word, _, rest = line.partition(" ")
        if word == "Collecting":
            self.collected += 1
            self.text = f"{self.collected} packages found, {rest.split()[0] if rest else ''}"
        elif word == "Downloading" and rest:
            name = "-".join(rest.split()[0].rpartition("/")[2].split("-")[:2])
            size = rest[rest.find("(") :] if "(" in rest else ""
            self.text = f"{self.collected} packages found, downloading {name} {size}".rstrip()
        elif word == "Progress":
            here, _, whole = rest.partition(" of ")
            if here.isdigit() and whole.isdigit() and int(whole):
                percent = 100 * int(here) // int(whole)
                self.text = re.sub(r"( \d+ %)?$", f" {percent} %", self.text, count=1)
        elif line.startswith("WARNING: Retrying"):
            self.text = "the package index does not answer, trying again"
        elif line.startswith("Installing collected packages:"):
            self.total = line.count(",") + 1
            self.text = "installing"

    def count(self, packages):
        """Count what pip has installed so far: it says nothing about that itself."""
        if self.total:
            self.done = max(0, len(installed(packages)) - self.before)

    def show(self):
        """Draw the line again, or print one where no line can be rewritten."""
        if not self.wanted:
            return
        seconds = int(time.monotonic() - self.started)
        count = f" {self.done} of {self.total}" if self.total else ""
        if self.live:
            line = f"{self.bar()} {self.text}{count}, {seconds} s"
            line = line[: shutil.get_terminal_size().columns - 1]
            sys.stdout.write("\r" + line.ljust(self.shown))
            sys.stdout.flush()
            self.shown = len(line)
        elif seconds >= self.shown + 15:
            self.shown = seconds
            say(f"{self.text}{count}, {seconds} s")

    def bar(self):
        """Return a bar: packages installed, or a mark that moves while their number is unknown."""
        width = 20
        if self.total:
            full = width * min(self.done, self.total) // self.total
            return "[" + "#" * full + "-" * (width - full) + "]"
        place = int(4 * (time.monotonic() - self.started)) % width
        return "[" + "-" * place + "#" + "-" * (width - place - 1) + "]"

    def clear(self):
        """Take the line away, for what is printed next."""
        if self.live and self.shown:
            sys.stdout.write("\r" + " " * self.shown + "\r")
            sys.stdout.flush()
            self.shown = 0
