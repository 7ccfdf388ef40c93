"""The layout of the code: who imports whom, how long a module is, one meaning for each name."""

import ast
from collections import defaultdict

from tools.settings import ROOT

FRONT = 2  # the wings of utils, from the back to the front; exercises stand before them
WINGS = {"utils.datasets": 1, "utils.figures": 1, "utils.fitting": 1, "utils.exercises": 3}


def module_name(path):
    """Return the dotted name of a file of the course; a package goes by its folder's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for room in ("utils", "tools")
    for path in sorted((ROOT / room).rglob("*.py"))
}


def imports_of(module):
    """Return the modules of the course that a module imports, anywhere in its code."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & set(TREES) or {node.module}
    return {name for name in found if name.split(".")[0] in ("utils", "tools", "course")}


def wing(module):
    """Return the name of a module's wing of utils, and how far in front it stands."""
    name = ".".join(module.split(".")[:2])
    return (name, WINGS[name]) if name in WINGS else ("utils", FRONT)


IN_UTILS = [module for module in TREES if module.split(".")[0] == "utils"]


def test_imports_go_from_the_front_to_the_back():
    for module in IN_UTILS:
        own_wing, place = wing(module)
        for imported in imports_of(module):
            if (own_wing, imported) == ("utils.figures", "utils.fitting.states"):
                continue  # a figure, too, leaves a model's mode as it found it
            assert imported.startswith("utils"), f"{module} imports {imported}"
            other_wing, other_place = wing(imported)
            assert other_wing == own_wing or other_place < place, f"{module} imports {imported}"


def test_nobody_imports_the_launcher_and_nobody_imports_in_a_circle():
    left = {module: imports_of(module) for module in TREES}
    assert not [module for module, imported in left.items() if "course" in imported]
    while left:
        free = {module for module, imported in left.items() if not imported & set(left)}
        assert free, f"in a circle, or importing one: {sorted(left)}"
        left = {module: imported for module, imported in left.items() if module not in free}


def test_a_module_is_at_most_500_lines_long():
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for room in ("utils", "tools")
        for path in (ROOT / room).rglob("*.py")
    }
    assert {str(path): lines for path, lines in lengths.items() if lines > 500} == {}


def test_no_two_modules_have_one_name():
    places = defaultdict(list)
    for module in TREES:
        places[module.split(".")[-1]].append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_a_name_has_one_meaning():
    places = defaultdict(list)
    for module in IN_UTILS:
        for name in defined_in(TREES[module]):
            places[name].append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def defined_in(tree):
    """Return the names that a module defines at its top, constants included."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            inside = [part for target in targets for part in ast.walk(target)]
            names |= {part.id for part in inside if isinstance(part, ast.Name)}
    return names - {"__all__"}
