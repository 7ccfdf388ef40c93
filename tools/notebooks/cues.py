"""What a cell's code is to do, without the code: the cues of a handout."""

import ast
import builtins
import copy
import re

# Whoever imports from here has data.
DATA = "utils.data"


class Cues:
    """Turns the cells of one notebook, in their order, into cues.

    Imports and data stay as they are: numbers that are written out, and what comes from utils.data.
    Of functions and classes the heads stay; of everything else is said what it is to make, to
    repeat or to print. What is left runs from top to bottom.
    """

    def __init__(self):
        self.known = set(dir(builtins))  # names that what is left defines, and that hold something
        self.sources = set()  # names of functions that give data

    def of(self, source):
        """Return the cues of one cell."""
        lines = source.splitlines()
        cues = [line for line in lines[: first_line(source)] if line.startswith("#")]
        made = []
        for statement in ast.parse(source).body:
            kept = self.kept(statement, lines)
            names = [] if kept else assigned(statement)
            if made and not names:
                cues.append(f"# Make {listed(made)}.")
                made = []
            made += [name for name in names if name not in made]
            if kept:
                cues.append(kept)
            elif not names:
                cues += ["# " + cue for cue in told(statement)]
        if made:
            cues.append(f"# Make {listed(made)}.")
        return re.sub("\n{3,}", "\n\n\n", "\n".join(cues).strip())

    def kept(self, statement, lines):
        """Return the code that stays of a statement, None if none does."""
        text = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
            self.known |= names
            if getattr(statement, "module", None) == DATA:
                self.sources |= names
            return text
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            head = head_of(statement)
            return None if self.unknown(head) else f"\n\n{ast.unparse(head)}\n\n"
        if isinstance(statement, ast.Assign) and not self.unknown(statement.value):
            if self.is_data(statement.value):
                self.known |= set(assigned(statement))
                return text
        return None

    def unknown(self, tree):
        """Return the names that a piece of code reads and that what is left does not define."""
        inside = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        written = {node.id for node in inside if isinstance(node.ctx, ast.Store)}
        return {node.id for node in inside} - written - self.known

    def is_data(self, value):
        """Return whether an expression gives data: numbers written out, or a call of utils.data."""
        for node in ast.walk(value):
            if isinstance(node, ast.List) and len(node.elts) > 1 and is_literal(node):
                return True
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in self.sources:
                    return True
        return False


def first_line(source):
    """Return the index of the line on which the code of a cell begins."""
    body = ast.parse(source).body
    return body[0].lineno - 1 if body else len(source.splitlines())


def is_literal(node):
    """Return whether an expression consists of numbers and texts alone."""
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def head_of(definition):
    """Return a function or a class without what it does: its head, its docstring, and ..."""
    docstring = definition.body[:1] if ast.get_docstring(definition) is not None else []
    inside = [ast.Expr(ast.Constant(...))]
    if isinstance(definition, ast.ClassDef):
        methods = [part for part in definition.body if isinstance(part, ast.FunctionDef)]
        inside = [head_of(method) for method in methods] or inside
    head = copy.copy(definition)
    head.body = docstring + inside
    return head


def assigned(statement):
    """Return the names that a statement assigns to, in their order."""
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        return []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return list(dict.fromkeys(name for target in targets for name in names_in(target)))


def names_in(target):
    """Return the names of what is assigned to: of x[i] and x.grad it is x."""
    if isinstance(target, ast.Tuple | ast.List):
        return [name for part in target.elts for name in names_in(part)]
    while not isinstance(target, ast.Name):
        target = target.value
    return [target.id]


def told(statement):
    """Return in words what a statement is to do, as lines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [f"Write {ast.unparse(head_of(statement)).splitlines()[0].rstrip(':')}."]
    if isinstance(statement, ast.For):
        loop = f"For {', '.join(names_in(statement.target))} in {ast.unparse(statement.iter)}:"
        return [loop, *inside(statement)]
    if isinstance(statement, ast.With):
        return [f"With {', '.join(map(ast.unparse, statement.items))}:", *inside(statement)]
    if isinstance(statement, ast.If | ast.While | ast.Try):
        return inside(statement)
    if isinstance(statement, ast.Expr):
        value = statement.value
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "print":
            return ["Print: " + re.sub("…(…| …)+", "…", " ".join(map(printed, value.args)))]
        if isinstance(value, ast.Call):
            return [f"Call {ast.unparse(value.func)}."]
        return [f"Show {ast.unparse(value)}."]
    return []


def inside(statement):
    """Return in words what the body of a statement is to do, set in."""
    made, lines = [], []
    for part in statement.body:
        made += [name for name in assigned(part) if name not in made]
        lines += told(part)
    return ["    " + line for line in ([f"Make {listed(made)}."] if made else []) + lines]


def printed(value):
    """Return what a print shows, with dots in the place of all that is computed."""
    if isinstance(value, ast.Constant):
        return str(value.value).strip("\n")
    if isinstance(value, ast.JoinedStr):
        return "".join(
            printed(part) if isinstance(part, ast.Constant) else "…" for part in value.values
        )
    return "…"


def listed(names):
    """Return names as an enumeration: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
