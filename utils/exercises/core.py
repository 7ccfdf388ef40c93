"""How an exercise is checked: `check` looks at an answer, says what it sees and never raises.

A notebook hands the student's answer to an exercise object:

    exercises.min_max.check(min_max)      # also .hint(), .hint(2), .solution()

Three kinds: a function to write (`FunctionExercise`), a value to find (`ValueExercise`), letters to
choose (`ChoiceExercise`). Each one carries its hints, its solution and typical wrong answers. The
wrong answers are code too: an answer with the same results is told its misconception by name.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import torch

from utils.exercises import record
from utils.exercises.answers import (
    bare,
    call,
    describe,
    difference,
    has_loop,
    is_untouched,
    kind_of,
    same,
    state_put_back,
)
from utils.exercises.record import OPEN, RIGHT, SYMBOLS, WRONG

PLAIN_SYMBOLS = {OPEN: "[ ]", WRONG: "[no]", RIGHT: "[ok]"}  # for consoles without these signs
OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "==", "ne": "!=", "pow": "**"}
OPERATORS |= {"__and__": "&", "__or__": "|", "__invert__": "~"}
WIDTH = 92  # characters a line, so that a message fits a slide


@dataclass(frozen=True)
class WrongAnswer:
    """A typical wrong answer: its code, what it gets wrong, and a phrase that a check must say."""

    code: str
    misconception: str
    says: str


@dataclass(frozen=True)
class Ban:
    """What a task rules out.

    Args:
        forbids: says of the name of a function of torch whether it is ruled out.
        advice: what to do in its place, a sentence.
    """

    forbids: Callable[[str], bool]
    advice: str


# Whatever differentiates ends in one of these: jacobian in grad, jvp in _make_dual, and so on.
AUTOGRAD = Ban(
    {"backward", "grad", "_make_dual"}.__contains__,
    "This one is about the formula: write it without autograd.",
)


@dataclass(frozen=True)
class Verdict:
    """What a check found: `status` is "open", "wrong" or "right"; `message` is for the student."""

    status: str
    message: str


def print_message(status, text):
    """Print a message with its symbol, wrapped; in ASCII where the console knows no more."""
    lines = []
    for number, paragraph in enumerate(text.split("\n")):
        start = f"{SYMBOLS[status]} " if number == 0 else "  "
        # A line that is indented already (code, numbers in columns) stays as it is.
        if paragraph.startswith("  "):
            lines.append(paragraph)
        else:
            lines += textwrap.wrap(
                paragraph, WIDTH, initial_indent=start, subsequent_indent="  "
            ) or [""]
    message = "\n".join(lines)
    try:
        message.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        message = message.replace(SYMBOLS[status], PLAIN_SYMBOLS[status], 1)
        message = message.encode("ascii", "replace").decode("ascii")
    print(message)


class Exercise:
    """One exercise of a notebook; the subclasses differ in how an answer is graded.

    Args:
        name: the name of the function or variable that the student fills in.
        hints: two texts, the second closer to the solution than the first.
        solution: code that defines `name` correctly.
        insight: one line that is worth knowing once it is solved.
        wrong_answers: at least two `WrongAnswer`.
    """

    seconds = 0  # of processor time that the check itself needs, beside what an answer may take

    def __init__(self, name, *, hints, solution, insight, wrong_answers):
        self.name = name
        self.hints = hints
        self.solution_code = textwrap.dedent(solution).strip()
        self.insight = insight
        self.wrong_answers = wrong_answers

    def check(self, *answer):
        """Look at an answer and print what is right or wrong with it. Never raises."""
        with state_put_back():
            verdict = self.grade(*answer)
        if verdict.status != OPEN:
            record.note(self, verdict.status)
        print_message(verdict.status, f"{self.name}: {verdict.message}")

    def grade(self, *answer):
        """Judge an answer; return a `Verdict`. Never raises."""
        if not answer or (len(answer) == 1 and answer[0] is Ellipsis):
            return self.not_attempted()
        try:
            return self.judge(*answer)
        except KeyboardInterrupt:
            return Verdict(WRONG, "stopped by the keyboard before it was finished.")
        except BaseException as error:  # whatever a student's object does, a check stays calm
            return Verdict(
                WRONG,
                f"the check could not look at your answer, a {kind_of(answer[0])} "
                f"({type(error).__name__} while reading it). {self.form()}",
            )

    def judge(self, *answer):
        """Judge an answer that is there; return a `Verdict`."""
        raise NotImplementedError

    def form(self):
        """Say in one sentence what `check` expects."""
        raise NotImplementedError

    def not_attempted(self):
        """Return the verdict on an exercise that nobody has touched."""
        return Verdict(OPEN, f"not attempted yet. {self.form()}")

    def right(self):
        """Return the verdict on a right answer."""
        return Verdict(RIGHT, f"right. {self.insight}")

    def hint(self, number=1):
        """Print hint 1 or hint 2."""
        if number not in (1, 2):
            print_message(OPEN, f"{self.name}: there are two hints, hint() and hint(2).")
            return
        more = " More: hint(2)." if number == 1 else " All of it: solution()."
        print_message(OPEN, f"{self.name}, hint {number} of 2: {self.hints[number - 1]}{more}")

    def solution(self):
        """Print a solution."""
        code = textwrap.indent(self.solution_code, "    ")
        print_message(OPEN, f"{self.name}, one solution (yours may differ):\n{code}")

    def define(self, code):
        """Run code of this module (a solution, a wrong answer) and return what it calls `name`."""
        namespace = {"torch": torch}
        exec(compile(code, f"<{self.name}>", "exec"), namespace)  # our own code, no student's
        return namespace[self.name]


class FunctionExercise(Exercise):
    """A function to write. It is called on `cases` and compared with the solution on each.

    Args:
        cases: a function that returns a list of argument tuples, small ones first.
        returns: what it has to return, where the solution does not say it: `float` for a number,
            which may be a tensor of one number too; a class; names for that many values.
        without_loop: whether the task rules out `for` and `while`.
        ban: a `Ban`, where the task rules out functions of torch.
        also_right: code of further solutions, whose results differ from those of the first.
        watch: where the effect of the function counts as well as what it returns: a function of
            `run`, which runs the answer, and a case's arguments; it returns what is compared.
        compared: what `watch` returns, in words.
    """

    def __init__(
        self,
        name,
        *,
        cases,
        returns=None,
        without_loop=False,
        ban=None,
        also_right=(),
        watch=None,
        compared="",
        **rest,
    ):
        super().__init__(name, **rest)
        self.cases = cases
        self.returns = returns
        self.without_loop = without_loop
        self.ban = ban
        self.also_right = [textwrap.dedent(code).strip() for code in also_right]
        self.watch = watch
        self.compared = compared

    def form(self):
        return f"Fill in the function, then run this cell; exercises.{self.name}.hint() helps."

    def judge(self, function, *more):
        if more or not callable(function):
            return Verdict(WRONG, self.no_function(function))
        if is_untouched(function):
            return self.not_attempted()
        cases = self.cases()
        outcomes = [self.run(function, arguments) for arguments in cases]
        return self.judge_outcomes(cases, outcomes, has_loop(function))

    def no_function(self, answer):
        """Say that an answer is not the function."""
        return (
            f"check needs the function itself, got a {kind_of(answer)}. Write "
            f"check({self.name}), with no brackets after {self.name}."
        )

    def judge_outcomes(self, cases, outcomes, looped):
        """Judge what came of an answer, which need not be there any more; return a `Verdict`.

        Args:
            cases: tuples of arguments.
            outcomes: the `Outcome` of the answer on each of them.
            looped: whether the answer's source has a loop.
        """
        if any(outcome.result is Ellipsis for outcome in outcomes):
            return self.not_attempted()
        forbidden = self.forbidden(outcomes, looped)
        if forbidden:
            return Verdict(WRONG, forbidden)
        complaints = [
            self.complaint(self.define(code), cases, outcomes)
            for code in (self.solution_code, *self.also_right)
        ]
        if None in complaints:
            return self.right()
        parts = [complaints[0], self.misconception(cases, outcomes)]
        return Verdict(WRONG, "\n".join(filter(None, parts)))

    def run(self, function, arguments):
        """Call a function on one case; return the `Outcome`."""
        return call(function, arguments, watch=self.watch, returns=self.returns)

    def forbidden(self, outcomes, looped):
        """Return what an answer uses although the task rules it out, as a sentence, or None."""
        if self.without_loop:
            # However a loop is written, it calls torch more often the more there is to go through.
            lengths = {len(outcome.called) for outcome in outcomes if not outcome.raised}
            if looped or len(lengths) > 1:
                return (
                    "there is a loop in your function. This one is about doing without: let the "
                    f"shapes do the work (exercises.{self.name}.hint())."
                )
        if self.ban:
            called = {name for outcome in outcomes for name in outcome.called}
            used = sorted(OPERATORS.get(name, name) for name in called if self.ban.forbids(name))
            if used:
                return f"there is {', '.join(used)} in your function. {self.ban.advice}"
        return None

    def complaint(self, reference, cases, outcomes):
        """Return how the first wrong outcome differs from that of a right function, or None."""
        names = list(inspect.signature(self.watch or reference).parameters)[bool(self.watch) :]
        parts = self.returns if isinstance(self.returns, tuple) else ()
        for arguments, outcome in zip(cases, outcomes, strict=True):
            problem = outcome.problem
            if problem is None:
                expected = self.run(reference, arguments).result
                problem = difference(expected, outcome.result, parts=parts)
                if problem and self.compared:
                    problem += f"\n({self.compared})"
            elif not outcome.raised:
                return problem
            if problem:
                pairs = zip(names, arguments, strict=True)
                shown = ", ".join(f"{name} = {describe(value)}" for name, value in pairs)
                return f"{problem}\nInput: {shown}"
        return None

    def misconception(self, cases, outcomes):
        """Return what is wrong with the known wrong answer of the same outcomes, or None.

        Of several, it is the one that calls most of the same functions of torch.
        """
        called = {name for outcome in outcomes for name in outcome.called}
        found, nearest = None, -1
        for wrong in filter(lambda answer: answer.misconception, self.wrong_answers):
            function, others = self.define(wrong.code), []
            for arguments, outcome in zip(cases, outcomes, strict=True):
                others.append(self.run(function, arguments))
                if not alike(others[-1], outcome):
                    break
            else:
                names = {name for other in others for name in other.called}
                near = len(called & names) / max(len(called | names), 1)
                if near > nearest:
                    found, nearest = wrong.misconception, near
        return found


class ValueExercise(Exercise):
    """A number, a text or several of them to find, compared with the solution's.

    Args:
        parts: what the values are called, where there are several.
        synonyms: text -> another one that is as good.
    """

    def __init__(self, name, *, parts=(), synonyms=None, **rest):
        super().__init__(name, **rest)
        self.parts = parts
        self.synonyms = synonyms or {}

    def form(self):
        return (
            "Replace the three dots with your answer, then run this cell; "
            f"exercises.{self.name}.hint() helps."
        )

    def judge(self, value, *more):
        if more:
            return Verdict(WRONG, f"check takes one answer. Write check({self.name}).")
        if value is None:
            return Verdict(WRONG, "your answer is None, which is no value. Is something missing?")
        if isinstance(value, list | tuple):
            value = [self.translated(item) for item in value]
        problem = difference(
            self.define(self.solution_code), self.translated(value), reveal=False, parts=self.parts
        )
        if problem is None:
            return self.right()
        for wrong in self.wrong_answers:
            if same(self.define(wrong.code), value):
                return Verdict(WRONG, f"{problem}\n{wrong.misconception}")
        return Verdict(WRONG, f"{problem} exercises.{self.name}.hint() helps.")

    def translated(self, value):
        """Return the synonym that the exercise uses for a text; anything else as it is."""
        return self.synonyms.get(bare(value), value) if isinstance(value, str) else value


class ChoiceExercise(Exercise):
    """Letters to choose, any number of them.

    Args:
        options: letter -> (whether it is true, why).
    """

    def __init__(self, name, *, options, hints, insight):
        letters = sorted(letter for letter, (true, _) in options.items() if true)
        call_text = ", ".join(f'"{letter}"' for letter in letters)
        super().__init__(
            name,
            hints=hints,
            insight=insight,
            solution=f"exercises.{name}.check({call_text})",
            wrong_answers=[
                WrongAnswer(letter, why, why) for letter, (true, why) in options.items() if not true
            ],
        )
        self.options = options
        self.letters = set(letters)

    def form(self):
        first, last = min(self.options), max(self.options)
        return f'Choose any of {first} to {last}, for example check("{first}", "{last}").'

    def judge(self, *answer):
        given = letters_in(answer)
        if given is None:
            return Verdict(WRONG, f"check needs letters, got a {kind_of(answer[0])}. {self.form()}")
        if not given:
            return self.not_attempted()
        unknown = sorted(given - set(self.options))
        if unknown:
            return Verdict(WRONG, f"there is no {', '.join(unknown)} here. {self.form()}")
        if given == self.letters:
            reasons = [f"{letter}: {self.options[letter][1]}" for letter in sorted(self.letters)]
            return Verdict(RIGHT, "\n".join([f"right. {self.insight}", *reasons]))
        for letter in sorted(given - self.letters):
            return Verdict(WRONG, f"not {letter}: {self.options[letter][1]}")
        return Verdict(WRONG, f"{', '.join(sorted(given))}: true, but not all that is true.")


def alike(one, other):
    """Return whether two outcomes have the same result, or the same words for why there is none."""
    if one.problem or other.problem:
        first_lines = [(outcome.problem or "").split("\n")[0] for outcome in (one, other)]
        return first_lines[0] == first_lines[1]
    tensors = [isinstance(outcome.result, torch.Tensor) for outcome in (one, other)]
    return tensors[0] == tensors[1] and same(one.result, other.result)


def letters_in(answer):
    """Return the capital letters in ("A", "c"), ("A, B and C",) or (["a", "c"],), or None."""
    letters = set()
    for item in answer:
        if isinstance(item, list | tuple | set | frozenset):
            inner = letters_in(item)
            if inner is None:
                return None
            letters |= inner
        elif isinstance(item, str):
            without_and = re.sub(r"\band\b", "", item, flags=re.IGNORECASE)
            letters |= {character.upper() for character in without_and if character.isalnum()}
        elif item is not Ellipsis:
            return None
    return letters
