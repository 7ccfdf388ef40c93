"""How an exercise is checked: `check` looks at an answer, says what it sees and never raises.

A notebook hands the student's answer to an exercise object:

    exercises.min_max.check(min_max)      # also .hint(), .hint(2), .solution()

Three kinds: a function to write (`FunctionExercise`), a value to find (`ValueExercise`), letters to
choose (`ChoiceExercise`). Each one carries its hints, its solution and typical wrong answers. The
wrong answers are code too: an answer with the same results is told its misconception by name.
"""

import inspect
import sys
import textwrap
from dataclasses import dataclass

import torch

from utils.exercises.answers import (
    call,
    describe,
    difference,
    is_untouched,
    kind_of,
    loops_in,
    names_in,
    same,
    state_put_back,
)

OPEN, WRONG, RIGHT = "open", "wrong", "right"
SYMBOLS = {OPEN: "○", WRONG: "✗", RIGHT: "✓"}
PLAIN_SYMBOLS = {OPEN: "[ ]", WRONG: "[no]", RIGHT: "[ok]"}  # for consoles without these signs
AUTOGRAD = {"backward", "grad", "jacrev", "jacfwd", "jacobian"}
WIDTH = 92  # characters a line, so that a message fits a slide


@dataclass(frozen=True)
class WrongAnswer:
    """A typical wrong answer: its code, what it gets wrong, and a phrase that a check must say."""

    code: str
    misconception: str
    says: str


@dataclass(frozen=True)
class Verdict:
    """What a check found: `status` is "open", "wrong" or "right"; `message` is for the student."""

    status: str
    message: str


def show(status, text):
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
        show(verdict.status, f"{self.name}: {verdict.message}")

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
        """The verdict on an exercise that nobody has touched."""
        return Verdict(OPEN, f"not attempted yet. {self.form()}")

    def right(self):
        """The verdict on a right answer."""
        return Verdict(RIGHT, f"right. {self.insight}")

    def hint(self, number=1):
        """Print hint 1 or hint 2."""
        if number not in (1, 2):
            show(OPEN, f"{self.name}: there are two hints, hint() and hint(2).")
            return
        more = " More: hint(2)." if number == 1 else " All of it: solution()."
        show(OPEN, f"{self.name}, hint {number} of 2: {self.hints[number - 1]}{more}")

    def solution(self):
        """Print a solution."""
        code = textwrap.indent(self.solution_code, "    ")
        show(OPEN, f"{self.name}, one solution (yours may differ):\n{code}")

    def define(self, code):
        """Run code of this module (a solution, a wrong answer) and return what it calls `name`."""
        namespace = {"torch": torch}
        exec(compile(code, f"<{self.name}>", "exec"), namespace)  # our own code, no student's
        return namespace[self.name]


class FunctionExercise(Exercise):
    """A function to write. It is called on `cases` and compared with the solution on each.

    Args:
        cases: a function that returns a list of argument tuples, small ones first.
        without_loop: whether `for` and `while` are ruled out by the task.
        without_autograd: whether the task rules out that torch differentiates.
        watch: where the effect of the function counts as well as what it returns: a function of
            the answer and a case's arguments that runs it and returns what is to be compared.
        compared: what `watch` returns, in words.
    """

    def __init__(
        self,
        name,
        *,
        cases,
        without_loop=False,
        without_autograd=False,
        watch=None,
        compared="",
        **rest,
    ):
        super().__init__(name, **rest)
        self.cases = cases
        self.without_loop = without_loop
        self.without_autograd = without_autograd
        self.watch = watch
        self.compared = compared

    def form(self):
        return f"Fill in the function, then run this cell; exercises.{self.name}.hint() helps."

    def judge(self, function, *more):
        if more or not callable(function):
            return Verdict(
                WRONG,
                f"check needs the function itself, here came a {kind_of(function)}. Write "
                f"check({self.name}), with no brackets after {self.name}.",
            )
        if is_untouched(function):
            return self.not_attempted()
        if self.without_autograd and names_in(function) & AUTOGRAD:
            return Verdict(
                WRONG,
                "there is autograd in your function. This one is about the formula: do without "
                f"{', '.join(sorted(names_in(function) & AUTOGRAD))}.",
            )
        if self.without_loop and loops_in(function):
            return Verdict(
                WRONG,
                "there is a loop in your function. This one is about doing without: let the "
                f"shapes do the work (exercises.{self.name}.hint()).",
            )
        reference = self.define(self.solution_code)
        results, complaint = [], None
        for arguments in self.cases():
            result, problem = call(function, arguments, self.watch)
            if result is Ellipsis:
                return self.not_attempted()
            if problem is None:
                expected, _ = call(reference, arguments, self.watch)
                problem = difference(expected, result)
                if problem:
                    names = inspect.signature(self.watch or reference).parameters
                    shown = describe_arguments(list(names)[bool(self.watch) :], arguments)
                    compared = f" ({self.compared})" if self.compared else ""
                    problem = f"{problem}{compared}\nInput: {shown}"
            else:
                result = first_line(problem)  # no result: the words of the failure stand for it
            results.append(result)
            complaint = complaint or problem
        if complaint is None:
            return self.right()
        misconception = self.misconception(results)
        return Verdict(WRONG, "\n".join(filter(None, [complaint, misconception])))

    def misconception(self, results):
        """Return what is wrong with the known wrong answer that gives the same results, or None."""
        for wrong in self.wrong_answers:
            function = self.define(wrong.code)
            theirs = [call(function, arguments, self.watch) for arguments in self.cases()]
            theirs = [first_line(problem) if problem else result for result, problem in theirs]
            pairs = zip(theirs, results, strict=True)
            if all(alike(one, other) for one, other in pairs):
                return wrong.misconception
        return None


class ValueExercise(Exercise):
    """A number, tuple, text or tensor to find; it is compared with the solution's."""

    def form(self):
        return (
            "Replace the three dots by your answer, then run this cell; "
            f"exercises.{self.name}.hint() helps."
        )

    def judge(self, value, *more):
        if more:
            return Verdict(WRONG, f"check takes one answer. Write check({self.name}).")
        if value is None:
            return Verdict(WRONG, "your answer is None, which is no value. Is something missing?")
        problem = difference(self.define(self.solution_code), value)
        if problem is None:
            return self.right()
        for wrong in self.wrong_answers:
            if same(self.define(wrong.code), value):
                return Verdict(WRONG, f"{problem}\n{wrong.misconception}")
        return Verdict(WRONG, problem)


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
            return Verdict(
                WRONG, f"check needs letters, here came a {kind_of(answer[0])}. {self.form()}"
            )
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


def first_line(text):
    """Return the first line of a text."""
    return text.split("\n")[0]


def alike(one, other):
    """Return whether two results are equal within rounding and both, or neither, a tensor."""
    return isinstance(one, torch.Tensor) == isinstance(other, torch.Tensor) and same(one, other)


def letters_in(answer):
    """Return the set of capital letters in ("A", "c"), ("A, C",) or (["a", "c"],), or None."""
    letters = set()
    for item in answer:
        if isinstance(item, list | tuple | set | frozenset):
            inner = letters_in(item)
            if inner is None:
                return None
            letters |= inner
        elif isinstance(item, str):
            letters |= {character.upper() for character in item if character not in " ,;.+&"}
        elif item is not Ellipsis:
            return None
    return letters


def describe_arguments(names, arguments):
    """Return the arguments as text with the names of the parameters."""
    return ", ".join(
        f"{name} = {describe(value)}" for name, value in zip(names, arguments, strict=True)
    )
