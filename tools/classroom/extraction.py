"""Which code of a student's notebook belongs to an exercise: its own cells, and what they need.

A cell belongs to an exercise if it is tagged with its name, which a cell that is split keeps. What
it needs beside that are the imports of all cells, and the statements of other cells that make the
names that it reads: found backwards from the cell, in the last cell above that makes a name. So an
answer that reads what the notebook has trained gets it, and nothing else of the notebook runs.
"""

import ast
import builtins
import contextlib
import functools
import re
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager

# Functions that only show what they are given.
SHOWING = {"print", "display"}
SHOWING_MODULES = ("utils.plotting", "utils.diagrams", "utils.live", "utils.playground")
SET_UP = re.compile(r"\bset_up\(")
# What an answer of this course needs. Any other import is said on the student's page.
USUAL = set(
    "torch numpy math matplotlib utils random itertools functools IPython collections time copy "
    "typing dataclasses statistics warnings pathlib".split()
)
USUAL_NAMES = set("__init__ __name__ __call__ __len__ __getitem__ __class__ __doc__".split())
ODD_CALLS = set("exec eval compile open globals vars getattr setattr delattr __import__".split())
INSIDES = {f"utils.exercises.{name}" for name in ("core", "answers", "record", "five_programs")}
# Ways out of an answer, and the insides of a check.
ODD_ATTRIBUTES = set(
    "os sys builtins gc inspect ctypes solution_code define cases watch judge grade judge_outcomes "
    "letters wrong_answers also_right".split()
)
CHANGED = {"torch", "nn", "np", "exercises"}  # what no answer has a reason to assign into


@dataclass
class Program:
    """The code of one answer.

    Args:
        before: syntax trees of what the answer needs from other cells, in order.
        cells: (name of the cell, source) of the answer's own cells, in order.
        odd: what a person should look at, in words.
        problem: why there is no program, in words; None if there is one.
    """

    before: list = field(default_factory=list)
    cells: list = field(default_factory=list)
    odd: list = field(default_factory=list)
    problem: str | None = None


def program_of(name, cells):
    """Return the `Program` of an exercise.

    Args:
        name: the exercise's.
        cells: (cell's id, tags, source) of a notebook's code cells.
    """
    own = [number for number, (_, tags, _) in enumerate(cells) if name in tags]
    if not own:
        return Program(problem="no cell of the notebook has this exercise's tag.")
    trees = [parsed(source) for _, _, source in cells]
    imports = [node for tree in trees for node in tree if isinstance(node, IMPORTS)]
    known = set(dir(builtins)).union(*(bound(node) for node in imports))
    shown = {
        name
        for node in imports
        if isinstance(node, ast.ImportFrom) and node.module in SHOWING_MODULES
        for name in bound(node)
    }
    needed, before, made = set(), [], set()
    for number in reversed(own):
        for node in reversed(trees[number]):
            needed = (needed - bound(node) if not isinstance(node, IMPORTS) else needed) | read(
                node
            )
    for number in [*range(own[0] - 1, -1, -1), *range(own[-1] + 1, len(cells))]:
        missing = needed - known - made
        makes = set().union(*(bound(node) for node in trees[number])) & missing
        if not missing or not makes or number in own:
            continue
        taken, reads = sliced(trees[number], missing, shown)
        before[:0] = taken
        needed |= reads
        made |= makes
    wanted = needed | {"*"}
    imports = [node for node in imports if bound(node) & wanted]
    program = Program(imports + before, [(cells[n][0], cells[n][2]) for n in own])
    everything = [*program.before, *(node for number in own for node in trees[number])]
    program.odd = sorted({odd for node in everything for odd in odd_in(node)})
    return program


IMPORTS = (ast.Import, ast.ImportFrom)


@functools.cache  # most cells of a hand-in are as published, and those the worker knows
def parsed(source):
    """Return the statements of a cell, none if it is no Python; the set-up cell has none."""
    if SET_UP.search(source):
        return []
    try:
        return ast.parse(python_of(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def python_of(source):
    """Return a cell's source with the notebook's own commands (%, !, ?) as Python."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        ast.parse(source)
        return source
    return TransformerManager().transform_cell(source)


@functools.cache
def bound(node):
    """Return the names that a statement makes or changes."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, IMPORTS):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
    return names


def read(node):
    """Return the names that a statement reads anywhere in it, but for its own variables."""
    names, own = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            names.add(part.id)
        elif isinstance(part, ast.arg):
            own.add(part.arg)
        elif isinstance(part, ast.comprehension | ast.For):
            own |= bound(part.target)
        if isinstance(part, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            own |= bound(ast.Module(part.body, []))
    if isinstance(node, ast.AugAssign):
        names |= bound(node)
    return names - own


def touched(node, shown):
    """Return the names of what a statement may change: it calls their methods, or is given them."""
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
            names |= {inner.id for inner in ast.walk(part) if isinstance(inner, ast.Name)}
        if isinstance(part, ast.Call):
            function = part.func.id if isinstance(part.func, ast.Name) else None
            if function in SHOWING or function in shown:
                continue
            receivers = [part.func.value] if isinstance(part.func, ast.Attribute) else []
            given = (
                part.args
                if not isinstance(node, ast.Assign)
                else part.args[:1] * (function == "fit")
            )
            names |= {item.id for item in [*receivers, *given] if isinstance(item, ast.Name)}
    return names


def sliced(nodes, wanted, shown):
    """Return (statements, names they read): what a cell does for the names that are wanted."""
    taken, reads, wanted = [], set(), set(wanted)
    for node in reversed(nodes):
        defines = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        changes = set() if defines else touched(node, shown)
        seeds = taken and isinstance(node, ast.Expr) and "manual_seed" in ast.dump(node)
        if isinstance(node, IMPORTS) or not (bound(node) & wanted or changes & wanted or seeds):
            continue
        taken.insert(0, node)
        wanted |= read(node)
        reads |= read(node)
    return taken, reads


def odd_in(node):
    """Return what a person should look at in an answer, as texts: a sieve, and no wall."""
    for part in ast.walk(node):
        if isinstance(part, IMPORTS):
            module = getattr(part, "module", None)
            for name in [module] if module else [alias.name for alias in part.names]:
                if name.partition(".")[0] not in USUAL or name in INSIDES:
                    yield f"imports {name}"
        elif isinstance(part, ast.Name) and part.id in ODD_CALLS:
            yield f"uses {part.id}"
        elif isinstance(part, ast.Attribute):
            hidden = part.attr.startswith("__") and part.attr not in USUAL_NAMES
            if hidden or part.attr in ODD_ATTRIBUTES:
                yield f"uses .{part.attr}"
            if isinstance(part.ctx, ast.Store) and root_of(part) in CHANGED:
                yield f"changes {ast.unparse(part)}"


def root_of(part):
    """Return the first name of a.b.c, None if it does not begin with a name."""
    while isinstance(part, ast.Attribute):
        part = part.value
    return part.id if isinstance(part, ast.Name) else None
