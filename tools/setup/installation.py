"""pip, run with its output in a log, a line that says what it does, and one sentence if it fails.

Standard library only: it runs before anything is installed.
"""

import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

from tools.settings import LAUNCHER
from tools.setup import wheels
from tools.setup.console import CourseError

# What pip and uv print, and what to say. The first that matches is the cause: a full disk or a
# broken network shows up as a missing version further down.
CAUSES = (
    (
        r"No space left on device|Errno 28\b|Disk quota exceeded|not enough space on the disk",
        "There is no space left on the disk: free some, then start the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError|invalid peer certificate",
        "Something between this computer and the package index (a proxy, a virus scanner) changes "
        "secure connections: ask who runs the network for its certificate and set PIP_CERT to it "
        "(and SSL_CERT_FILE, to make a package).",
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
        r"|ConnectTimeoutError|ReadTimeoutError|ProxyError|Connection (refused|reset)|timed out"
        r"|error sending request",
        "There is no connection to {index}: check the network (or the proxy settings), then start "
        "the same command again{otherwise}",
    ),
)


# Where pip and uv were looking. Of pip's own index they say nothing, unless it answers too late.
HOST = re.compile(
    r"ConnectionPool\(host='([^']+)'"
    r"|(?:Looking in indexes|Failed to fetch): `?\w+://(?:[^\s/@]+@)?([^\s/:,`]+)"
)
# What a log says that pip is doing.
STEP = re.compile(r"^ *(Collecting|Downloading|Installing collected packages:) (.+)$", re.MULTILINE)


def cause_of(output, otherwise, place=None):
    """Return one sentence that says why `output`, a program's last words, ended in failure.

    Args:
        output: all that the program printed.
        otherwise: how the sentence begins where the cause is none of CAUSES.
        place: the machine that packages were wanted for, in words; None for this one.
    """
    for pattern, sentence in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return sentence.format(**where(output, place))
    unmatched = re.search(r"No matching distribution found for ([^\s(]+)", output)
    if unmatched and place:
        return f"There is no {unmatched.group(1)} for {place}."
    if unmatched:
        return no_version_of(unmatched.group(1))
    unresolved = re.search(r"Because .+", output)
    if unresolved:
        return f"{otherwise}: {unresolved.group()}"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return f"{otherwise}: {(errors or lines or ['it printed nothing'])[-1]}"


def where(output, place):
    """Return in words which index was asked, and what may be done without it."""
    hosts = HOST.findall(output)
    host = "".join(hosts[-1]) if hosts else ""
    if host.endswith("pytorch.org"):
        # Who makes a package for another machine is told by tools/pack.py.
        otherwise = f", or take the ordinary build: {LAUNCHER} lab --torch default"
        index = f"{host}, which has the small build of PyTorch"
        return {"index": index, "otherwise": "." if place else otherwise}
    return {"index": f"the package index {host}".strip(), "otherwise": "."}


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


def run_pip(python, arguments, variables, log, lock, place=None):
    """Run pip with the Python of an environment, as `run` does. Return what it printed.

    Args:
        python: the Python's path.
        arguments: pip's command and its arguments.
        variables, log, lock, place: as for `run`.
    """
    command, *rest = arguments
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    otherwise = "pip could not get the packages"
    words = [python, "-m", "pip", command, *options, *rest]
    return run(words, variables, log, lock, otherwise, place)


def run(command, variables, log, lock, otherwise, place=None):
    """Run a program that gets packages, with what it prints in a log.

    Args:
        command: the program with its arguments.
        variables: its environment variables.
        log: a file, to which its output is added.
        lock: an open file, which it inherits: the lock on it holds as long as the program works,
            even if this process is killed.
        otherwise, place: as for `cause_of`.

    Returns:
        str: what it printed.

    Raises:
        CourseError: it failed; the message is the cause in one sentence, and where the log is.
    """
    temporary = log.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    variables = dict(variables)
    # Without a network pip would try for minutes.
    variables.setdefault("PIP_RETRIES", "1")
    variables.setdefault("PIP_DEFAULT_TIMEOUT", "15")
    variables.update(PIP_USER="0", PYTHONIOENCODING="utf-8")
    # The system's own folder for temporary files is often too small for torch.
    variables.update(TMPDIR=str(temporary), TEMP=str(temporary), TMP=str(temporary))
    process, interrupts = None, []
    # An interrupt waits until the program is known, or nobody would stop it.
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(number))
    try:
        with open(log, "ab") as file:
            start = file.tell()
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=variables,
                **({} if os.name == "nt" else {"pass_fds": [lock.fileno()]}),
            )
        signal.signal(signal.SIGINT, before)
        if interrupts:
            raise KeyboardInterrupt
        follow(process, log, temporary)
    finally:
        signal.signal(signal.SIGINT, before)
        if process and process.poll() is None:
            stop(process)
        shutil.rmtree(temporary, ignore_errors=True)
    output = log.read_bytes()[start:].decode("utf-8", "replace")
    if process.returncode != 0:
        raise CourseError(f"{cause_of(output, otherwise, place)}\nThe whole output is in {log}")
    return output


def stop(process):
    """End a process that is no longer wanted."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def has_begun(log):
    """Return whether pip had begun to install, and so to replace packages, says its log."""
    return any(word.startswith("Installing") for word, _ in STEP.findall(text_of(log)))


def text_of(log):
    """Return what is in a log, nothing if it is missing."""
    with contextlib.suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")
    return ""


def follow(process, log, temporary):
    """Wait until a program ends. On a terminal, one line says what it is doing."""
    shows = sys.stdout.isatty() and os.environ.get("COURSE_PROGRESS") != "0"
    started, shown = time.monotonic(), 0
    try:
        while process.poll() is None:
            if shows:
                line = f"{step(text_of(log), temporary)}, {time.monotonic() - started:.0f} s"
                line = line[: shutil.get_terminal_size().columns - 1]
                print("\r" + line.ljust(shown), end="", flush=True)
                shown = len(line)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
    finally:
        if shown:
            print("\r" + " " * shown + "\r", end="", flush=True)


def step(output, temporary):
    """Return what pip is doing, from what it has printed and the folder it downloads into."""
    found = STEP.findall(output)
    if not found:
        return "Starting"
    word, rest = found[-1]
    if word.startswith("Installing"):
        return f"Installing {rest.count(',') + 1} packages"
    what, _, size = rest.partition(" ")
    if word == "Collecting":
        return f"Looking for {what}"
    name = "-".join(what.rpartition("/")[2].split("-")[:2])
    return f"Downloading {name} {size}, {bytes_in(temporary) / 1e6:.0f} MB so far"


def bytes_in(folder):
    """Return the size of the wheels that are being downloaded into a folder."""
    # pip may remove one between the look at its name and the look at its size.
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder.rglob("*.whl"))
    return 0
