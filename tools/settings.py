"""What the launcher and its tools agree on: constants, in what Python 3.6 can read as well.

ROOT is not resolved: on Windows that would turn the letter of a network drive into a path that
many programs refuse. Paths are compared with samefile instead.
"""

import os
from pathlib import Path

ROOT = Path(os.path.abspath(__file__)).parent.parent
BUILD = ROOT / "build"
LAUNCHER = "py course.py" if os.name == "nt" else "python3 course.py"

# Runs torch on the instructions of an older processor: printed digits must survive that.
OTHER_CPU = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}

# The notebooks that CI's longest tests take at each change; weekly they take all.
FEW = ("01", "04", "06")

# Notebooks to come: number -> (question, minutes core / all). One that is there replaces its line.
PLANNED = {}
