"""Every exercise: untouched, solved, each wrong answer, and whatever else a student may hand in."""

import inspect
import io
import random
import re
import sys

import numpy as np
import pytest
import torch
from IPython.core.autocall import ZMQExitAutocall

from tools.notebooks.files import code_cells, published, read, tags
from tools.notebooks.solved import exercises_of
from utils.exercises.core import ChoiceExercise, FunctionExercise, ValueExercise, letters_in

STEMS = {path.stem: path for path in published()}
ALL = [
    pytest.param(exercise, id=f"{stem[:2]}-{name}")
    for stem in STEMS
    for name, exercise in exercises_of(stem).items()
]
WRONG = [
    pytest.param(parameter.values[0], wrong, id=f"{parameter.id}-{number}")
    for parameter in ALL
    for number, wrong in enumerate(parameter.values[0].wrong_answers)
]
every_exercise = pytest.mark.parametrize("exercise", ALL)


def answer_of(exercise, code):
    """Return what a student with this code would hand to check: a tuple of arguments."""
    if isinstance(exercise, ChoiceExercise):
        return tuple(code)
    return (exercise.define(code),)


def solution_of(exercise):
    """Return the right answer as a tuple of arguments to check."""
    if isinstance(exercise, ChoiceExercise):
        return tuple(sorted(exercise.letters))
    return answer_of(exercise, exercise.solution_code)


# ---------------------------------------------------------------------------- what an exercise has
@every_exercise
def test_it_is_complete(exercise):
    assert len(exercise.hints) == 2 and all(exercise.hints) and exercise.insight
    assert len(exercise.wrong_answers) >= 2
    assert all(wrong.says for wrong in exercise.wrong_answers)


@every_exercise
def test_its_solution_is_right(exercise, capsys):
    assert exercise.grade(*solution_of(exercise)).status == "right"
    exercise.check(*solution_of(exercise))
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(f"✓ {exercise.name}: right. {exercise.insight.split()[0]}")


@pytest.mark.parametrize("exercise, wrong", WRONG)
def test_a_typical_wrong_answer_is_told_its_misconception(exercise, wrong):
    verdict = exercise.grade(*answer_of(exercise, wrong.code))
    assert verdict.status == "wrong"
    assert wrong.says in verdict.message
    assert verdict.message.endswith(wrong.misconception)  # its own, not another one's


@every_exercise
def test_hints_and_solution_are_printed(exercise, capsys):
    exercise.hint()
    exercise.hint(2)
    exercise.hint(3)
    exercise.solution()
    printed = capsys.readouterr().out
    flat = " ".join(printed.split())
    for hint in exercise.hints:
        assert " ".join(hint.split()) in flat
    assert "there are two hints" in flat
    for line in exercise.solution_code.splitlines():
        assert line in printed
    assert max(map(len, printed.splitlines())) <= 100


# ------------------------------------------------------------------------------ as in the notebook
def stub_cells():
    """Return (exercise, source of its cell in the published notebook)."""
    for stem, path in STEMS.items():
        exercises = exercises_of(stem)
        for cell in code_cells(read(path)):
            for name in set(tags(cell)) & set(exercises):
                yield pytest.param(exercises[name], cell.source, id=f"{stem[:2]}-{name}")


@pytest.mark.parametrize("exercise, source", list(stub_cells()))
def test_untouched_as_published_it_is_not_attempted(exercise, source):
    if isinstance(exercise, ChoiceExercise):
        assert exercise.grade().status == "open"
        return
    stub = source.split("exercises.")[0] if "import" not in source else source
    lines = [line for line in stub.splitlines() if not line.startswith(("from", "exercises"))]
    namespace = {}
    exec("\n".join(lines), namespace)
    verdict = exercise.grade(namespace[exercise.name])
    assert verdict.status == "open" and "not attempted yet" in verdict.message
    if isinstance(exercise, FunctionExercise):
        expected = inspect.signature(exercise.define(exercise.solution_code))
        assert list(inspect.signature(namespace[exercise.name]).parameters) == list(
            expected.parameters
        )


# ---------------------------------------------------------------- sixty students' strange answers
class Hostile:
    """An object whose every inspection raises."""

    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other):
        raise RuntimeError("no eq")

    def __bool__(self):
        raise RuntimeError("no bool")

    __hash__ = None


class UnreadableError(Exception):
    """An exception whose message cannot be read."""

    __str__ = Hostile.__str__


def raises(*arguments):
    raise ZeroDivisionError("division by zero, on purpose")


def leaves(*arguments):
    raise SystemExit


def generator(*arguments):
    yield 1


async def coroutine(*arguments):
    return 1


def recursion(*arguments):
    return recursion(*arguments)


def grumpy(*arguments):
    raise UnreadableError


STRANGE = {
    "text": "ten",
    "empty text": "",
    "number": 3.7,
    "huge number": 10**400,
    "infinity": float("inf"),
    "nan": float("nan"),
    "complex": 1 + 2j,
    "bool": True,
    "list": [1, 2, 3],
    "nested list": [[1], [2, 3]],
    "empty list": [],
    "dict": {"A": 1},
    "set of letters": {"Z"},
    "bytes": b"abc",
    "array": np.arange(3),
    "object array": np.array([None, "x"], dtype=object),
    "tensor": torch.zeros(3),
    "sparse tensor": torch.eye(3).to_sparse(),
    "meta tensor": torch.zeros(3, device="meta"),
    "complex tensor": torch.zeros(3, dtype=torch.complex64),
    "empty tensor": torch.zeros(0),
    "tensor with gradient": torch.zeros((), requires_grad=True) * 2,
    "module": torch,
    "class": Hostile,
    "hostile object": Hostile(),
    "type": int,
    "print": print,
    "linear layer": torch.nn.Linear(2, 2),
    "raises": raises,
    "leaves": leaves,
    "generator": generator,
    "coroutine": coroutine,
    "recursion": recursion,
    "grumpy": grumpy,
    "no arguments": lambda: 1,
    "returns itself": lambda *arguments: arguments,
    "returns text": lambda *arguments: "text",
    "returns a list": lambda *arguments: [1.0, 2.0],
    "returns a number": lambda *arguments: 1.0,
    "returns an array": lambda *arguments: np.ones(3, dtype="float32"),
    "returns nan": lambda *arguments: torch.full((3,), torch.nan),
    "returns meta": lambda *arguments: torch.zeros(3, device="meta"),
    "returns sparse": lambda *arguments: torch.eye(3).to_sparse(),
    "returns hostile": lambda *arguments: Hostile(),
    "returns a class": lambda *arguments: Hostile,
    "returns a bool": lambda *arguments: True,
    "returns a large tensor": lambda *arguments: torch.zeros(500, 500),
    "returns float64": lambda *arguments: torch.zeros(3, dtype=torch.float64),
    "returns complex": lambda *arguments: torch.zeros(3, dtype=torch.complex64),
    "returns none": lambda *arguments: print(end=""),
}


# Their checks train networks to compare with: a fifth of the answers has to do.
TRAINS = ("healthy_training", "cured_training", "fast_training")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@every_exercise
def test_a_strange_answer_gets_one_calm_message(exercise, capsys):
    for name, strange in list(STRANGE.items())[:: 5 if exercise.name in TRAINS else 1]:
        exercise.check(strange)
        printed = capsys.readouterr().out
        assert re.search(rf"^[✗○] {exercise.name}: ", printed, re.M), name
        assert "Traceback" not in printed, name
        assert len(printed) < 1500, name


@every_exercise
def test_too_many_answers_and_the_dots_themselves(exercise, capsys):
    assert exercise.grade(...).status == "open"
    assert exercise.grade().status == "open"
    assert exercise.grade(None).status == "wrong"
    exercise.check(*[Hostile()] * 3)
    assert capsys.readouterr().out.startswith("✗")


# --------------------------------------------------------------------- how a check treats functions
def double(x):
    return 2 * x


DOUBLE = FunctionExercise(
    "double",
    cases=lambda: [(torch.tensor([1.0, 2.0]),), (torch.rand(3),)],
    hints=("multiply", "by 2"),
    solution="def double(x):\n    return 2 * x",
    insight="Twice.",
    wrong_answers=[],
)


SIZE = ValueExercise(
    "size", hints=("a", "b"), solution="size = (2, 3)", insight="i", wrong_answers=[]
)


def grade(function):
    """Return the message of the verdict on an answer to DOUBLE that is wrong."""
    verdict = DOUBLE.grade(function)
    assert verdict.status == "wrong"
    return verdict.message


def in_place(x):
    x *= 2
    return x


def forgets_return(x):
    y = 2 * x  # noqa: F841 (what a student forgets to return)
    print(end="")


def wrong_line(x):
    y = 2 * x
    return y.no_such_attribute


def wrong_inside_torch(x):
    return torch.nn.Linear(5, 5)(x)


def test_messages_name_what_is_wrong_in_the_order_type_shape_dtype_device_values():
    assert "got a NumPy array" in grade(lambda x: (2 * x).numpy())
    assert "expected shape (2,), got (2, 1)" in grade(lambda x: 2 * x[:, None].double())
    assert "expected dtype torch.float32, got torch.float64" in grade(lambda x: x.double())
    assert "expected device cpu, got meta" in grade(lambda x: x.to("meta"))
    message = grade(lambda x: 3 * x)
    assert "expected [2.0, 4.0]" in message and "got [3.0, 6.0]" in message
    assert "Input: x = [1.0, 2.0]" in message


def test_a_function_that_returns_none_changes_its_input_or_raises_is_told_so():
    assert "Is `return` missing?" in grade(forgets_return)
    assert "changes its input" in grade(in_place)
    message = grade(wrong_line)
    assert "AttributeError" in message and "return y.no_such_attribute" in message
    assert "return torch.nn.Linear(5, 5)(x)" in grade(wrong_inside_torch)
    assert "with no brackets after double" in grade(double(torch.ones(2)))


def test_float32_rounds_and_no_more_than_that_is_forgiven():
    for factor, status in [(1 + 1e-6, "right"), (1 - 1e-4, "wrong"), (1 + 1e-3, "wrong")]:
        assert DOUBLE.grade(lambda x, factor=factor: 2 * factor * x).status == status
        assert SIZE.grade((2, 3 * factor)).status == status


def test_a_right_answer_may_look_different():
    assert DOUBLE.grade(lambda x: x + x).status == "right"
    assert DOUBLE.grade(lambda x: (x.double() * 2).float()).status == "right"
    assert DOUBLE.grade(lambda x: x.clone().requires_grad_() * 2).status == "right"


def test_only_the_whole_body_counts_as_untouched():
    def stub(x):
        """Say what it does."""
        ...

    def passes(x):
        pass

    def dots(x):
        return ...

    for untouched in [stub, passes, dots]:
        assert DOUBLE.grade(untouched).status == "open"


def test_a_loop_is_named_where_the_task_rules_it_out():
    exercise = exercises_of("01_tensors")["one_hot"]

    def with_loop(labels, classes):
        rows = [[float(label == k) for k in range(classes)] for label in labels.numpy()]
        return torch.tensor(rows)

    assert "there is a loop" in exercise.grade(with_loop).message


def test_a_check_changes_nothing():
    def meddles(x):
        torch.manual_seed(1)
        np.random.seed(1)
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.set_grad_enabled(False)
        return 2 * x

    def state():
        numbers = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()
        settings = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()
        return *numbers, random.getstate(), *settings, torch.get_num_threads()

    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    before = state()
    DOUBLE.check(meddles)
    assert state() == before


def test_the_keyboard_stops_a_check_calmly(capsys):
    def endless(x):
        raise KeyboardInterrupt

    DOUBLE.check(endless)
    assert "stopped by the keyboard" in capsys.readouterr().out


class Shell:
    """Stands in for the shell of a notebook, which the kernel ends once it is asked to."""

    ended = False

    def ask_exit(self):
        self.ended = True


def test_exit_in_an_answer_ends_the_answer_and_not_the_kernel(monkeypatch):
    shell = Shell()
    monkeypatch.setattr("utils.exercises.answers.get_ipython", lambda: shell)
    leave = ZMQExitAutocall(shell)  # what `exit` and `quit` are in a notebook
    assert "your function stopped with SystemExit" in grade(lambda x: leave())
    assert "your function stopped with SystemExit" in grade(lambda x: sys.exit())
    assert not shell.ended
    leave()
    assert shell.ended  # outside a check, exit is what it was


def test_a_console_without_signs_gets_ascii(monkeypatch, capsys):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", console)
    DOUBLE.check(double)
    console.flush()
    assert console.buffer.getvalue().startswith(b"[ok] double: right.")


# ------------------------------------------------------------------------------- values and letters
def test_values_are_taken_in_any_number_type():
    for right in [(2, 3), [2, 3], torch.Size([2, 3]), (2.0, np.int64(3)), (torch.tensor(2), 3)]:
        assert SIZE.grade(right).status == "right"
    assert "number 2 of 2" in SIZE.grade((2, 4)).message
    assert "got 3" in SIZE.grade((2, 3, 4)).message
    assert "got a whole number" in SIZE.grade(6).message


def test_texts_in_brackets_are_compared_one_by_one_without_regard_to_capitals():
    exercise = ValueExercise(
        "names", hints=("a", "b"), solution='names = "ReLU", "tanh"', insight="i", wrong_answers=[]
    )
    assert exercise.grade(["relu", " Tanh"]).status == "right"
    assert "text 2 of 2: 'sigmoid' is not right." in exercise.grade(("ReLU", "sigmoid")).message
    assert "expected 2 texts, separated by commas, got 3" in exercise.grade(("a",) * 3).message
    assert "expected 2 texts, separated by commas, got a text" in exercise.grade("ReLU").message


def test_letters_are_taken_in_any_form():
    for form in [("A", "C"), ("a", "c"), ("AC",), ("A, C",), (["A", "C"],), ({"C", "A"},)]:
        assert letters_in(form) == {"A", "C"}
    assert letters_in(("B, C and E.",)) == {"B", "C", "E"}
    assert letters_in((3,)) is None
