"""What is left of root's rights in the process of an answer."""

import os
import subprocess
import sys

import pytest

from tools.settings import ROOT

# Take a right of root away, as a container does, then confine, and say what is left.
PROGRAM = """
import ctypes, os, struct
from tools.classroom.confinement import Limits, confine
status = os.open("/proc/self/status", os.O_RDONLY)
def permitted():
    return int(os.pread(status, 5000, 0).decode().split("CapPrm:")[1].split()[0], 16)
high, low = divmod(permitted() & ~{taken}, 1 << 32)
rights = struct.pack("=6I", low, low, 0, high, high, 0)
assert ctypes.CDLL(None).capset(struct.pack("=Ii", 0x20080522, 0), rights) == 0
guards = confine(Limits(), {folder!r})
print(permitted(), "user" in guards)
"""
READ_ALL = 1 << 2


@pytest.mark.skipif(sys.platform != "linux", reason="hand-ins are graded on Linux")
@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() != 0, reason="only root has them")
@pytest.mark.parametrize("taken", [0, READ_ALL])
def test_no_right_is_left_but_that_to_read(tmp_path, taken):
    program = PROGRAM.format(taken=taken, folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rights, user = done.stdout.split()
    assert user == "True" and int(rights) in (0, READ_ALL & ~taken)
