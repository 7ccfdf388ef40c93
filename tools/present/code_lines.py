"""Break code for slides: lines that fit in large letters, and pieces that fit on one slide."""

import ast
import io
import re
import subprocess
import sys
import tempfile
import textwrap
import tokenize
from pathlib import Path

from tools.setup.console import CourseError

WIDTH = 79  # characters of 24 pixels on a slide 1280 pixels wide
BLANK_LINES = re.compile(r"\n\n\n+")


def broken(sources):
    """Return code with its long lines broken, as ruff breaks them.

    What is no Python by itself, as with a line for IPython, stays as it is.

    Args:
        sources: {id of a cell: its code}.

    Raises:
        CourseError: ruff is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{number}.py") for number, name in enumerate(sources)}
        for name, path in paths.items():
            path.write_text(with_comments_above(sources[name]), "utf-8")
        rules = ["--isolated", "--no-cache", "--quiet", "--line-length", str(WIDTH)]
        command = [sys.executable, "-m", "ruff", "format", *rules, "--target-version", "py311"]
        done = subprocess.run([*command, folder], capture_output=True, encoding="utf-8")
        if "No module named ruff" in done.stderr:
            raise CourseError("ruff is missing, which breaks long lines of code for slides")
        return {name: short(path.read_text("utf-8").strip()) for name, path in paths.items()}


def with_comments_above(source):
    """Return code whose comments stand above their lines where these are too long."""
    lines = source.splitlines()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    for token in reversed(tokens):
        row, column = token.start
        line = lines[row - 1] if row <= len(lines) else ""
        code = line[:column].rstrip()
        if token.type == tokenize.COMMENT and code and len(line) > WIDTH:
            indent = line[: len(line) - len(line.lstrip())]
            lines[row - 1 : row] = [indent + token.string, code]
    return "\n".join(lines)


def short(source):
    """Return code without gaps, and with what ruff leaves long broken as well."""
    return "\n".join(
        part
        for line in BLANK_LINES.sub("\n\n", source).split("\n")
        for part in (parts_of(line) if len(line) > WIDTH else [line])
    )


def parts_of(line):
    """Break a line that is nothing but a comment, a docstring or another string; leave others."""
    indent = line[: len(line) - len(line.lstrip())]
    if line.startswith(f"{indent}# "):
        return wrapped(line.lstrip()[2:], f"{indent}# ")
    if line.startswith(f'{indent}"""'):
        return wrapped(line.lstrip(), indent)
    if string := re.fullmatch(r"""\s*(f?)(["'])(.*)\2(,?)""", line):
        prefix, quote, text, comma = string.groups()
        cut = place_to_break(text, WIDTH - len(indent) - 3)
        if cut:
            first = f"{indent}{prefix}{quote}{text[:cut]}{quote}"
            prefix = prefix if "{" in text[cut:] else ""
            return [first, *parts_of(f"{indent}{prefix}{quote}{text[cut:]}{quote}{comma}")]
    return [line]


def wrapped(text, indent):
    """Return a text as lines that begin with an indent."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def place_to_break(text, most):
    """Return where to break the text of a string, behind a space outside of braces; 0 if nowhere.

    A text that is short enough needs no break.
    """
    place = depth = 0
    if len(text) <= most:
        return 0
    for number, letter in enumerate(text[:most], start=1):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == " " and not depth and text[number : number + 1] not in (" ", ""):
            place = number
    return place


def pieces(source, most):
    """Cut code into pieces of at most so many lines, between statements, the outermost first.

    A statement that cannot be cut stays whole.
    """
    lines = source.split("\n")
    if len(lines) <= most:
        return [source]
    levels = [[cut for cut in cuts if 2 < cut < len(lines) - 1] for cuts in statements(source)]
    good = [[cut for cut in cuts if cut <= most and len(lines) - cut <= most] for cuts in levels]
    cuts = next(filter(None, good + levels), [])
    if not cuts:
        return [source]
    cut = min(cuts, key=lambda cut: abs(cut - len(lines) / 2))
    parts = ["\n".join(part).strip("\n") for part in (lines[:cut], lines[cut:])]
    return [piece for part in parts for piece in pieces(part, most)]


def statements(source):
    """Return the lines, from 0, at which statements begin, for each depth of nesting in turn.

    Comments right above belong to the statement.
    """
    lines = source.split("\n")
    try:
        bodies = [ast.parse(textwrap.dedent(source)).body]
    except SyntaxError:
        return [[row for row, line in enumerate(lines) if not line]]
    levels = []
    while bodies:
        starts = set()
        for statement in (statement for body in bodies for statement in body):
            decorators = getattr(statement, "decorator_list", [])
            start = min([statement.lineno, *(each.lineno for each in decorators)]) - 1
            while start and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            starts.add(start)
        levels.append(sorted(starts))
        bodies = [
            getattr(statement, name)
            for body in bodies
            for statement in body
            for name in ("body", "orelse")
            if isinstance(getattr(statement, name, None), list)
        ]
        bodies = [body for body in bodies if body]
    return levels
