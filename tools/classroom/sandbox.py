"""Run one answer in a process of its own, and judge outside of it what it gave.

The process that runs a student's code never says whether it is right. It says what the answer gave:
the value, the letters, or what the function returned for each case. That comes back as plain text,
and the instructor's copy of the check judges it in the process that ran no student's code. What a
student's code does to torch or to the check stays in its own process.

Two things are still taken from there on trust, and cost a look at the page where the code looks
odd: which functions of torch an answer called (what a task forbids), and, for the few exercises
that watch a function at work (a model that is built, a training), what was seen.
"""

import ast
import contextlib
import copy
import functools
import json
import linecache
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from tools.classroom.confinement import confine, end_with_parent
from tools.classroom.encoding import MOST, decoded, encoded, line_of, text_of_object
from tools.classroom.extraction import program_of, python_of
from tools.setup.console import CourseError
from utils.exercises.answers import Outcome, has_loop, is_untouched, kind_of, state_put_back
from utils.exercises.core import ChoiceExercise, Exercise, FunctionExercise, Verdict
from utils.exercises.record import OPEN, WRONG

LONGEST = 5000  # letters of a message
LOOK = 0.2  # seconds between two looks at what an answer has written
MOST_FILES, MOST_BYTES = 1000, 50_000_000  # that it may have written
CALLS = 1_000_000  # of torch, in one run, as many as are told apart
# What a person may want to know of what Linux and Python say.
REASONS = {
    "BlockingIOError": "No answer may start a further process.",
    "EOFError": "Nobody is there to answer input().",
    "MemoryError": "It asked for more memory than an answer gets.",
    "PermissionError": "That is out of an answer's reach.",
    "SystemExit": "No answer needs to leave Python.",
}


@dataclass
class Graded:
    """One answer, judged.

    Args:
        status, message: as in a `Verdict`.
        misconception: its name, an empty text if there is none.
        cells: ids of the student's cells that hold the answer.
        odd: what a person should look at, as texts.
        seconds: how long the answer ran.
        guards: names of the guards that were in place.
    """

    status: str
    message: str
    misconception: str = ""
    cells: list = field(default_factory=list)
    odd: list = field(default_factory=list)
    seconds: float = 0.0
    guards: list = field(default_factory=list)

    def as_dictionary(self):
        """Return it as JSON knows it."""
        return {key: value for key, value in asdict(self).items() if key != "guards"}


# -- In the process of the answer --------------------------------------------------------------


def run_program(exercise, module, cells, send):
    """Run the cells of an answer and send what it gave.

    Args:
        exercise: the `Exercise`; the notebook's own has the same name.
        module: the notebook's exercises.
        cells: (id, tags, source) of the notebook's code cells.
        send: called with each message.
    """
    program = program_of(exercise.name, cells)
    send({"odd": program.odd, "cells": [name for name, _ in program.cells]})
    if program.problem:
        send({OPEN: program.problem, "end": True})
        return
    given = []

    def check(self, *answer):
        if self.name == exercise.name:
            given.append(True)
            send(observed(exercise, answer))

    Exercise.check = check
    # The notebook's first exercise imports them; whoever deletes that cell still gets the others.
    namespace = {"__name__": "__main__", "exercises": module, "display": show_nothing}
    torch.manual_seed(0)  # graded again, an answer that draws numbers gives the same
    missing, stopped = [], False
    for node in program.before:
        try:
            exec(compile(module_of([node]), "<needed>", "exec"), namespace)
        except BaseException as error:
            missing.append(in_words(error))
    for name, source in program.cells:
        try:
            source = python_of(source)
            file = f"<{name}>"
            # Where a check looks for a student's line, as a notebook's kernel lays it.
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
            exec(compile(source, file, "exec"), namespace)
        except BaseException as error:
            because = f"\nWhat it needs had failed before: {missing[0]}" if missing else ""
            send({WRONG: f"the cell stopped with {in_words(error)}{because}", "late": bool(given)})
            stopped = True
    if not given and not stopped and exercise.name in namespace:
        send(observed(exercise, (namespace[exercise.name],)))
    send({"end": True})


def show_nothing(*values, **options):
    """Be the `display` of a notebook."""


def module_of(nodes):
    """Return statements as a module to compile."""
    return ast.Module(nodes, [])


def in_words(error):
    """Return an exception as one short text."""
    name = type(error).__name__
    text = f"{name}: {text_of_object(error)}".removesuffix(": ")
    return f"{text}. {REASONS[name]}" if name in REASONS else text


def observed(exercise, answer):
    """Return what an answer gave, as a message."""
    if not answer or (len(answer) == 1 and answer[0] is Ellipsis):
        return {OPEN: exercise.not_attempted().message}
    try:
        with state_put_back():
            function = answer[0]
            if not isinstance(exercise, FunctionExercise) or answer[1:] or not callable(function):
                return {"answer": [encoded(value) for value in answer]}
            if is_untouched(function):
                return {OPEN: exercise.not_attempted().message}
            outcomes = [
                [
                    encoded(outcome.result),
                    outcome.problem,
                    outcome.raised,
                    sorted(set(outcome.called)),
                    len(outcome.called),
                ]
                for outcome in [exercise.run(function, each) for each in exercise.cases()]
            ]
            return {"outcomes": outcomes, "looped": has_loop(function)}
    except KeyboardInterrupt:
        return {WRONG: "stopped by the keyboard before it was finished."}
    except BaseException as error:
        return {
            WRONG: f"the check could not look at your answer, a {kind_of(answer[0])} "
            f"({type(error).__name__} while reading it). {exercise.form()}"
        }


def child(exercise, module, cells, limits, folder, pipe, skipped):
    """Be the process of one answer, to its end."""
    status = 1
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        os.dup2(pipe, 3)
        os.closerange(4, 4096)
        sys.stdin, sys.stdout, sys.stderr = (open(n, m) for n, m in ((0, "r"), (1, "w"), (2, "w")))
        os.environ.update(HOME=str(folder), TMPDIR=str(folder))
        tempfile.tempdir = None
        warnings.simplefilter("ignore")

        def send(message):
            content = line_of(message)
            if len(content) > MOST:
                content = line_of({WRONG: "the answer is too large to be looked at."})
            while content:
                content = content[os.write(3, content) :]

        try:
            send({"guards": confine(limits, folder, skipped)})
            end_with_parent()
        except Exception as error:
            send({"failed": in_words(error)})
            return
        run_program(exercise, module, cells, send)
        status = 0
    finally:
        os._exit(status)  # nothing of the process that forked it is cleaned up here


# -- In the process that judges ----------------------------------------------------------------


def grade_answer(exercise, module, cells, limits, skipped=()):
    """Run the answer to an exercise in a process of its own and return it `Graded`.

    Args:
        exercise: the `Exercise`.
        module: the notebook's exercises, as its cells import them.
        cells: (id, tags, source) of the notebook's code cells.
        limits: the `Limits`.
        skipped: guards to leave out, see `confine`.
    """
    limits = replace(limits, seconds=limits.seconds + exercise.seconds)
    place = Path(tempfile.mkdtemp(prefix="answer-"))
    place.chmod(0o711)
    folder = place / "empty"
    folder.mkdir()
    reading, writing = os.pipe()
    begin = time.monotonic()
    number = os.fork()
    if number == 0:
        child(exercise, module, cells, limits, folder, writing, skipped)
    os.close(writing)
    try:
        report, over = read_all(reading, begin + 4 * limits.seconds, folder)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        _, status = os.waitpid(number, 0)
        shutil.rmtree(place, ignore_errors=True)
    graded = judged(exercise, messages_in(report), ended(status, over, limits))
    graded.seconds = round(time.monotonic() - begin, 2)
    return graded


def read_all(pipe, until, folder):
    """Return (bytes, None or in words why the process must end): no more than a report may have."""
    parts, length = [], 0
    while True:
        if time.monotonic() > until:
            return b"".join(parts), "time"
        if not select.select([pipe], [], [], LOOK)[0]:
            if too_full(folder):
                return b"".join(parts), "files"
            continue
        part = os.read(pipe, 65536)
        if not part or length > 4 * MOST:
            return b"".join(parts), None
        parts.append(part)
        length += len(part)


def too_full(folder):
    """Return whether an answer has filled its folder. One large file is the system's to refuse."""
    files, size = 0, 0
    for place, _, names in os.walk(folder):
        for name in names:
            files += 1
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
            if files > MOST_FILES or size > MOST_BYTES:
                return True
    return False


def messages_in(report):
    """Return the messages of a report; what is none is left out."""
    found = []
    for line in report.split(b"\n"):
        with contextlib.suppress(ValueError, RecursionError):
            message = json.loads(line)
            if isinstance(message, dict):
                found.append(message)
    return found


def ended(status, over, limits):
    """Return in words how a process ended that did not come to its end."""
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if over == "files":
        return "stopped: it filled its folder with files."
    if over or signalled in (signal.SIGXCPU, signal.SIGKILL):
        longer = f"stopped: it ran longer than {limits.seconds:g} s."
        return f"{longer} Is there a loop or a wait without end?"
    if signalled:
        return f"it ended the process that ran it ({signal.Signals(signalled).name})."
    return "it ended the process that ran it, before the check was done."


def judged(exercise, messages, ending):
    """Return what a report says as `Graded`.

    Args:
        exercise: the `Exercise`, this process's own.
        messages: those of the answer's process, in order. The first two were sent before any of the
            student's code ran.
        ending: what to say if the answer's process did not come to its end.
    """
    if messages and "failed" in messages[0]:
        raise CourseError(
            f"The process of an answer could not be confined: {messages[0]['failed']}"
        )
    first = {**(messages[0] if messages else {}), **(messages[1] if len(messages) > 1 else {})}
    about = {
        "cells": list(map(str, first.get("cells", []))),
        "odd": list(map(str, first.get("odd", []))),
        "guards": first.get("guards", []),
    }
    if not any("end" in message for message in messages[2:]):
        return Graded(WRONG, ending, **about)
    verdict = Verdict(WRONG, "there is no answer left in the cell: neither check nor name.")
    for message in messages[2:]:
        if not message.get("late"):
            verdict = verdict_on(exercise, message) or verdict
    misconception = misconception_in(exercise, verdict)
    return Graded(verdict.status, verdict.message[:LONGEST], misconception, **about)


@functools.cache
def judge_of(exercise):
    """Return a copy of an exercise that runs its solution and its known wrong answers only once."""
    if not isinstance(exercise, FunctionExercise):
        return exercise
    judge, cases = copy.copy(exercise), exercise.cases()
    numbers = {id(arguments): number for number, arguments in enumerate(cases)}
    kept = functools.cache(lambda function, number: exercise.run(function, cases[number]))
    judge.cases = lambda: cases
    judge.define = functools.cache(exercise.define)
    judge.run = lambda function, arguments: kept(function, numbers[id(arguments)])
    return judge


def verdict_on(exercise, message):
    """Return the verdict on one message of an answer, None if it says nothing."""
    exercise = judge_of(exercise)
    for status in (OPEN, WRONG):
        if status in message:
            return Verdict(status, str(message[status])[:LONGEST])
    try:
        if "answer" in message:
            return exercise.grade(*map(decoded, message["answer"]))
        if "outcomes" in message:
            outcomes = [outcome_of(*parts) for parts in message["outcomes"]]
            with state_put_back():
                cases, looped = exercise.cases(), bool(message["looped"])
                if len(outcomes) != len(cases):
                    raise ValueError("not one outcome for each case")
                return exercise.judge_outcomes(cases, outcomes, looped)
    except Exception as error:
        name = type(error).__name__
        return Verdict(WRONG, f"the check could not look at the answer ({name} while reading it).")
    return None


def outcome_of(result, problem, raised, called, count):
    """Return the `Outcome` that was sent."""
    names = list(map(str, called))
    filled = names + names[-1:] * (min(int(count), CALLS) - len(names))
    problem = None if problem is None else str(problem)
    return Outcome(decoded(result), problem, bool(raised), tuple(filled))


def misconception_in(exercise, verdict):
    """Return the misconception that a verdict names, an empty text if it names none."""
    if verdict.status != WRONG:
        return ""
    for wrong in exercise.wrong_answers:
        if wrong.misconception and verdict.message.endswith(wrong.misconception):
            choice = isinstance(exercise, ChoiceExercise)  # whose reasons need their letter
            return verdict.message if choice else wrong.misconception
    for wrong in exercise.wrong_answers:
        if not wrong.misconception and wrong.says in verdict.message:
            return verdict.message.split("\n")[0]
    return ""
