"""Made-up hand-ins: notebooks with answers in them, as bytes, and a whole class of them.

    python -m tests.classroom.made_up 300 build/hand-ins.zip

writes what a platform delivers of a class: right, wrong, open and hostile answers, damaged files.
"""

import copy
import functools
import io
import json
import random
import sys
import zipfile
from pathlib import Path

from tools.notebooks.files import NOTEBOOKS
from tools.notebooks.solved import exercises_of, solved_source
from tools.setup import workspace
from utils.exercises.core import ChoiceExercise, WrongAnswer

STEM, NAME = "00_start_here", "steps_per_epoch"  # the exercise that hostile answers are given to
# kind: (source, what the page says of it)
HOSTILE = {
    "endless": ("while True:\n    pass", "ran longer than"),
    "ignores its limit": (
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass",
        "ran longer than",
    ),
    "sleeps": ("import time\ntime.sleep(1000)", "ran longer than"),
    "memory": ("x = [bytes(10**8) for _ in range(1000)]", "more memory than an answer gets"),
    "torch's memory": ("import torch\ntorch.zeros(10**10)", "RuntimeError"),
    "processes": ("import os\nwhile True:\n    os.fork()", "may start a further process"),
    "stubborn processes": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "ran longer than",
    ),
    "threads": ("import threading\nthreading.Thread(target=print).start()", "RuntimeError"),
    "_exit": ("import os\nos._exit(0)", "ended the process"),
    "crash": ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    "exit": ("import sys\nsys.exit()", "SystemExit"),
    "input": ("input()", "Nobody is there to answer input()"),
    "file": ("open('big', 'wb').write(bytes(10**8))", "OSError"),
    "many files": (
        "import time\nfor n in range(2000):\n    open(str(n), 'w').close()\ntime.sleep(100)",
        "filled its folder",
    ),
    "lies": (
        f"class Liar:\n    def __eq__(self, other):\n        return True\n\n{NAME} = Liar()",
        "got a Liar",
    ),
    "lies as a number": (
        "class Liar(int):\n    def __eq__(self, other):\n        return True\n"
        f"    __float__ = __int__ = __index__ = lambda self: 10\n\n{NAME} = Liar(3)",
        "3 is not right",
    ),
    "patched check": (
        "from utils.exercises.core import Verdict\n"
        "type(exercises.steps_per_epoch).judge = lambda *given: Verdict('right', 'right')\n"
        f"exercises.steps_per_epoch.check = print\n{NAME} = 3",
        "3 is not right",
    ),
    "no check": (f"exercises = None\n{NAME} = 500\nraise SystemExit", "SystemExit"),
    "noise": (
        "import os\nfor text in (b'[[[', b'{}', b'{\"answer\": 3}', b'{\"answer\": [[\"x\"]]}',"
        f" b'{{\"outcomes\": [[1]]}}', b'\\xff'):\n    os.write(3, text + b'\\n')\n{NAME} = 3",
        "3 is not right",
    ),
    "deep": (f"{NAME} = []\nfor _ in range(100000):\n    {NAME} = [{NAME}]", "got a list"),
    "large": (f"import torch\n{NAME} = torch.zeros(10**7)", "wrong"),
}


@functools.cache
def fresh(stem):
    """Return a notebook as a student's copy begins."""
    return json.loads(workspace.cleared((NOTEBOOKS / f"{stem}.ipynb").read_bytes()))


def notebook(stem, **answers):
    """Return a student's copy of a notebook as bytes.

    Args:
        stem: the notebook's name.
        answers: exercise -> the source of its cell; True for the course's solution; or a
            `WrongAnswer`.
    """
    content = copy.deepcopy(fresh(stem))
    for cell in content["cells"]:
        for name in set(cell["metadata"].get("tags", [])) & set(answers):
            source = "".join(cell["source"])
            cell["source"] = answered(stem, name, source, answers[name])
    return json.dumps(content).encode()


def answered(stem, name, source, answer):
    """Return the source of an exercise's cell with an answer in the place of its stub."""
    if answer is True:
        return solved_source(source, exercises_of(stem)[name])
    if isinstance(answer, WrongAnswer):
        return wrong_source(source, exercises_of(stem)[name], answer)
    imports = [line for line in source.splitlines() if line.startswith("from ")]
    return "\n".join([*imports, answer, f"exercises.{name}.check({name})"])


def wrong_source(source, exercise, wrong):
    """Return the source of an exercise's cell with a known wrong answer."""
    if isinstance(exercise, ChoiceExercise):
        call = f"exercises.{exercise.name}.check"
        return source.replace(f"{call}()", f'{call}("{wrong.code}")')
    imports = [line for line in source.splitlines() if line.startswith("from ")]
    check = f"exercises.{exercise.name}.check({exercise.name})"
    return "\n".join([*imports, "import torch", wrong.code, check])


def all_right(stem):
    """Return a notebook with every exercise solved, as bytes."""
    return notebook(stem, **dict.fromkeys(exercises_of(stem), True))


def zipped(files):
    """Return a zip of {name: bytes} as bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def hand_in(number, chance):
    """Return the zip that a made-up student hands in, as bytes.

    Args:
        number: every tenth student has a hostile answer; of the others every ninth a damaged file.
        chance: a `random.Random`.
    """
    files = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        answers = {}
        for name, exercise in exercises_of(path.stem).items():
            kind = chance.choices(("right", "wrong", "open"), (60, 25, 15))[0]
            if kind != "open":
                answers[name] = kind == "right" or chance.choice(exercise.wrong_answers)
        if path.stem == STEM and number % 10 == 0:
            kinds = list(HOSTILE)
            answers[NAME] = HOSTILE[kinds[number // 10 % len(kinds)]][0]
        files[path.name] = notebook(path.stem, **answers)
    content = zipped(files)
    return content[: len(content) // 2] if number % 9 == 5 and number % 10 else content


def write_class(path, count):
    """Write one zip with the hand-ins of so many made-up students, as Moodle calls them."""
    first, last = ("Ann", "Jürgen", "Zoë", "Wei", "Olu"), ("Möller", "Ångström", "Lee", "von Ahn")
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            name = f"{first[number % 5]} {last[number % 4]} {number // 20}"
            content = hand_in(number, random.Random(number))
            archive.writestr(f"{name}_{number}_assignsubmission_file_/hand-in.zip", content)


if __name__ == "__main__":
    write_class(Path(sys.argv[2]), int(sys.argv[1]))
