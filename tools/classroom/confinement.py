"""What a student's program may do: limits on its process, and what lies out of its reach.

For a process that was forked for one answer and is its only thread; Linux. What is guarded, and
what is not, is said in `GUARDS` and `OPEN_DOORS`, which `course.py grade` prints.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.settings import ROOT

NOBODY = 65534
GUARDS = {
    "limits": "time, memory and the size of files; no further process or thread",
    "user": "run as the user nobody, which may not read what only you may",
    "files": "reads Python, PyTorch and the course alone, writes into its empty folder",
    "connections": "no connection by TCP",
    "signals": "no signal to other processes",
}
OPEN_DOORS = {
    "limits": "further processes are not limited: you are root, and may not become nobody",
    "user": "programs run as your own user, within what else is guarded here",
    "files": "programs can read your files, other students' too (this Linux has no Landlock)",
    "connections": "programs can use the network (Landlock of Linux 6.7 or newer is missing)",
    "signals": "programs can end your other programs (Landlock of Linux 6.12 or newer is missing)",
}
ALWAYS_OPEN = (
    "What is never guarded: the processor (time is limited, speed is not), UDP, and faults of "
    "Linux, Python and PyTorch themselves. Grade in a container, or on a machine that may be lost."
)


@dataclass(frozen=True)
class Limits:
    """Limits on one answer: seconds of processor time, bytes of memory beyond what is there."""

    seconds: float = 10
    memory: int = 2_000_000_000
    file: int = 10_000_000


def confine(limits, folder, skipped=()):
    """Confine this process for good; return the names of the guards that are in place.

    Args:
        limits: the `Limits`.
        folder: an empty folder, the only place to write to.
        skipped: names of guards to leave out, where this machine cannot do with them.
    """
    os.chdir(folder)
    no_new_privileges = 38  # whatever it starts: Landlock asks for it, and it shuts set-user-id out
    ctypes.CDLL(None).prctl(no_new_privileges, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    memory = memory_in_use() + limits.memory  # asked while /proc can still be read
    in_place = []
    root = os.geteuid() == 0 and "user" not in skipped
    if root:
        os.chown(folder, NOBODY, NOBODY)
    if "landlock" not in skipped:
        in_place += restrict(folder)
    if root and become_nobody(reads_on="files" in in_place):
        in_place += ["user", *({"signals"} - set(in_place))]  # nobody may end nobody else's
    seconds = max(1, int(limits.seconds + 0.999))
    set_limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    set_limit(resource.RLIMIT_AS, memory)
    set_limit(resource.RLIMIT_FSIZE, limits.file)
    set_limit(resource.RLIMIT_NOFILE, 64)
    set_limit(resource.RLIMIT_CORE, 0)
    set_limit(resource.RLIMIT_NPROC, 0)  # counts for everybody but root
    if os.geteuid() != 0:
        in_place.append("limits")
    return in_place


def end_with_parent():
    """Let this process end when the one that forked it does, however that ends."""
    ctypes.CDLL(None).prctl(1, ctypes.c_ulong(signal.SIGKILL))


def set_limit(which, soft, hard=None):
    """Set a limit, not above the one that is there."""
    most = resource.getrlimit(which)[1]
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(which, (soft, hard))


def memory_in_use():
    """Return the bytes of address space that this process has."""
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def become_nobody(reads_on):
    """Give up root for the user nobody; return whether that was allowed.

    Args:
        reads_on: whether to go on reading what root may read. Then Landlock decides what that is:
            Python may lie in a folder that is closed to others.
    """
    library, keep_capabilities, read_all = ctypes.CDLL(None), 8, 1 << 2
    if reads_on:
        library.prctl(keep_capabilities, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        return False
    # A container may not have that right: then nothing is kept, and not all.
    for kept in (read_all, 0) if reads_on else ():
        rights = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
        if library.capset(struct.pack("=Ii", 0x20080522, 0), rights) == 0:
            break
    return True


# -- Landlock: a process gives up files, connections and signals for good ----------------------

CREATE, ADD, RESTRICT = 444, 445, 446  # system calls, the same on every processor
FILE_READ, FILE_WRITE = 0b100, 0b10
READ = 0b1100  # files and folders
BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # rights on files that each version knows
SINGLE_FILES = ("/dev/null", "/dev/zero", "/dev/urandom", "/etc/ld.so.cache", "/etc/localtime")


def restrict(folder):
    """Leave the process the files it needs; return the names of the guards that are in place."""
    library = ctypes.CDLL(None, use_errno=True)
    call = library.syscall
    version = call(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return []
    every = (1 << BITS[min(version, 5)]) - 1
    # Rights on files; connections by TCP from version 4 on; sockets and signals from 6 on.
    wanted = [every, *([0b11] if version >= 4 else []), *([0b11] if version >= 6 else [])]
    rules = struct.pack(f"={len(wanted)}Q", *wanted)
    ruleset = call(CREATE, rules, ctypes.c_size_t(len(rules)), ctypes.c_uint32(0))
    if ruleset < 0:
        return []
    try:
        writing = every & ~(1 | 1 << 6 | 1 << 11)  # no programs, no devices
        allowed = {**dict.fromkeys(readable(), READ), str(folder): writing}
        allowed |= dict.fromkeys(SINGLE_FILES, FILE_READ) | {"/dev/null": FILE_READ | FILE_WRITE}
        for path, rights in allowed.items():
            allow(call, ruleset, path, rights)
        if call(RESTRICT, ruleset, ctypes.c_uint32(0)) != 0:
            return []
        return ["files", "connections", "signals"][: len(wanted)]
    finally:
        os.close(ruleset)


def readable():
    """Return the folders that Python, PyTorch and the course are read from."""
    found = {"/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix}
    found |= {str(ROOT / name) for name in ("utils", "tools", "data", "notebooks")}
    found |= {path for path in sys.path if path}
    # Not the course's folder as a whole: work/ and build/ are somebody's own.
    return sorted(
        path for path in found if os.path.isdir(path) and not os.path.samefile(path, ROOT)
    )


def allow(call, ruleset, path, rights):
    """Allow a path and all below it; one that is not there is left out."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", rights, place)
        call(ADD, ruleset, ctypes.c_uint32(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(place)
