"""Read hand-ins as learning platforms deliver them: zips in zips, folders, bare notebooks.

Nothing is ever unpacked onto the disk: files are read in memory, no more of them than `Budget`
allows, and a path in a zip is a name and nothing else.
"""

import contextlib
import datetime
import io
import json
import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tools.setup.console import CourseError
from utils.machine import EDITION

LARGEST = 20_000_000  # bytes of one notebook, outputs included
LARGEST_ZIP = 200_000_000  # bytes of a zip in a zip
MOST_FILES = 2000  # of one student
DEEPEST = 3  # zips in zips
SKIPPED = {"__MACOSX", ".ipynb_checkpoints", "backup", "live", ".git", ".venv"}
# How platforms call what they deliver; the name of the student comes first in each.
PLATFORMS = (
    re.compile(r"(?P<name>.+?)_\d+_assignsubmission_\w+_?.*"),  # Moodle
    re.compile(r"(?P<name>[^_]+?)(_LATE)?_\d+_\d+_.+"),  # Canvas
)
AGAIN = re.compile(r"[ _-]*(\(\d+\)|v\d+|version ?\d+|copy\d*)$", re.I)
ARCHIVES = {".rar", ".7z", ".gz", ".tar", ".xz"}
OF_EDITION = re.compile(r"\bset_up\((?:edition=(\d+))?")


@dataclass
class Budget:
    """What may still be read for one student."""

    content: int = 400_000_000
    files: int = MOST_FILES


@dataclass
class Student:
    """One student's hand-in.

    Args:
        name: as the platform says it.
        notebooks: {stem of a notebook of the course: (id, tags, source) of its code cells}.
        notes: what a person should know of the hand-in, as sentences.
    """

    name: str
    notebooks: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    times: dict = field(default_factory=dict)

    def note(self, sentence):
        """Note a sentence once."""
        sentence = printable(sentence)
        if sentence not in self.notes:
            self.notes.append(sentence)


def printable(text):
    """Return a text without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@dataclass(frozen=True)
class Item:
    """A file that was handed in: its name, when it was changed, and how to read it."""

    name: str
    when: tuple
    read: object  # called with the largest length, returns bytes; may raise


def students_in(folder, exercises):
    """Yield each `Student` of a folder, in the order of their names.

    Args:
        folder: a folder, or one zip of all.
        exercises: {stem: names of its exercises}, to tell which notebook one is.

    Raises:
        CourseError: there is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.exists():
        raise CourseError(f"There is no {folder}: name the folder with the hand-ins, or its zip.")
    students = {}
    for name, items, notes in entries_of(folder):
        key = printable(unicodedata.normalize("NFC", name))
        students.setdefault(key, []).append((items, notes))
    if not students:
        raise CourseError(f"There is nothing in {folder} that could be a hand-in.")
    for key in sorted(students, key=str.casefold):
        student, budget = Student(key), Budget()
        for items, notes in students[key]:
            for note in notes:
                student.note(note)
            for item in items:
                take(student, item, exercises, budget)
        if not student.notebooks and not any("edition" in note for note in student.notes):
            student.note("There is no notebook of the course in this hand-in.")
        yield student


def entries_of(folder):
    """Yield (student's name, items, notes) for what lies directly in the folder or the zip."""
    if folder.is_file():
        yield from grouped(items_of_all(folder))
        return
    inside = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if len(inside) == 1 and inside[0].suffix.lower() == ".zip":
        items = items_of_all(inside[0])
        # One zip of all, or the hand-in of the only student.
        if not any(len(PurePosixPath(item.name).parts) == 1 and is_own(item) for item in items):
            yield from grouped(items)
            return
    for path in inside:
        if path.is_symlink():
            yield student_of(path.name), [], [f"{path.name} is a link, and was not followed."]
        elif path.is_dir():
            items, notes = [], []
            for inner in sorted(path.rglob("*")):
                if inner.is_symlink():
                    notes.append(f"{inner.name} is a link, and was not followed.")
                elif inner.is_file():
                    items.append(item_of(inner, inner.relative_to(path).as_posix()))
            yield student_of(path.name), items, notes
        elif path.is_file():
            yield student_of(path.name), [item_of(path, path.name)], []


def items_of_all(path):
    """Return the files of one zip of all hand-ins. Raises CourseError if it is damaged."""
    try:
        return list(items_in_zip(path, []))
    except Exception as error:  # zipfile knows many ways to fail on a damaged file
        raise CourseError(f"{path} cannot be read: it is damaged, or no zip.") from error


def is_own(item):
    """Return whether a file at the top of a zip says that the zip is one student's."""
    name = PurePosixPath(item.name).name
    return name == "progress.json" or re.match(r"\d\d_\w+.*\.ipynb$", name) is not None


def item_of(path, name):
    """Return a file on the disk as an `Item`."""
    moment = datetime.datetime.fromtimestamp(path.stat().st_mtime)

    def read(most):
        if path.stat().st_size > most:
            raise ValueError("too large")
        return path.read_bytes()

    return Item(name, moment.timetuple()[:6], read)


def grouped(items):
    """Yield (student's name, items, notes) for what a zip of all hand-ins holds."""
    groups = {}
    for item in items:
        first, *rest = PurePosixPath(item.name).parts or ("",)
        inner = Item("/".join(rest) or first, item.when, item.read)
        groups.setdefault(student_of(first), []).append(inner)
    for name, inside in groups.items():
        yield name, inside, []


def student_of(name):
    """Return the student's name in the name of what a platform delivers."""
    stem = re.sub(r"\.(zip|ipynb)$", "", name, flags=re.I)
    for platform in PLATFORMS:
        found = platform.fullmatch(stem)
        if found:
            return found["name"].strip()
    return AGAIN.sub("", stem).strip() or stem


def items_in_zip(file, notes):
    """Yield the files of a zip as `Item`s; what is no file to read is noted.

    Args:
        file: the zip, a path or an open file.
        notes: sentences are added to it.

    Raises:
        zipfile.BadZipFile, and others of a damaged file.
    """
    archive = zipfile.ZipFile(file)
    for entry in archive.infolist():
        name = name_of(entry)
        path = PurePosixPath(name.replace("\\", "/"))
        if entry.is_dir() or SKIPPED & set(path.parts):
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            notes.append(f"{path.name} in the zip is a link, and was not followed.")
            continue
        if path.is_absolute() or ".." in path.parts:
            notes.append(f"A path in the zip climbs out ({name[:80]}): taken as a name alone.")
            path = PurePosixPath(path.name)

        def read_entry(most, entry=entry):
            if entry.file_size > most:
                raise ValueError("too large")
            with archive.open(entry) as opened:
                content = opened.read(most + 1)  # what the entry says of its size may be a lie
            if len(content) > most:
                raise ValueError("too large")
            return content

        yield Item(str(path), entry.date_time, read_entry)


def name_of(entry):
    """Return the name of an entry; one that does not say how it is written may be UTF-8."""
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            return entry.filename.encode("cp437").decode("utf-8")
    return entry.filename


def take(student, item, exercises, budget, depth=0):
    """Add a file to what a student has handed in, or note why not."""
    name, suffix = PurePosixPath(item.name).name, PurePosixPath(item.name).suffix.lower()
    if SKIPPED & set(PurePosixPath(item.name).parts):
        return
    if suffix in ARCHIVES:
        student.note(f"{name} is no zip, and was not opened.")
    if suffix not in (".zip", ".ipynb"):
        return
    budget.files -= 1
    largest = min(LARGEST if suffix == ".ipynb" else LARGEST_ZIP, budget.content)
    if budget.files < 0 or largest <= 0:
        student.note("There is more in this hand-in than is read: the rest was left out.")
        return
    try:
        content = item.read(largest)
        budget.content -= len(content)
        if suffix == ".zip":
            if depth >= DEEPEST:
                student.note(f"{name} lies too deep, in zips in zips, and was not opened.")
                return
            notes = []
            for inner in items_in_zip(io.BytesIO(content), notes):
                take(student, inner, exercises, budget, depth + 1)
            for note in notes:
                student.note(note)
            return
    except ValueError:
        student.note(f"{name} is too large, and was not read.")
        return
    except Exception as error:  # zipfile knows many ways to fail on a damaged or a locked file
        student.note(f"{name} cannot be read: it is damaged or locked ({type(error).__name__}).")
        return
    take_notebook(student, item, name, content, exercises)


def take_notebook(student, item, name, content, exercises):
    """Add a notebook to what a student has handed in, or note why not."""
    if not content.strip():
        student.note(f"{name} is empty.")
        return
    try:
        cells = code_cells_of(content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        student.note(f"{name} is no notebook.")
        return
    stem = notebook_of(name, cells, exercises)
    if stem is None:
        student.note(f"{name} is no notebook of the course: no cell has an exercise's tag.")
        return
    edition = edition_of(cells)
    if edition not in (None, EDITION):
        student.note(f"{name} is of edition {edition}; edition {EDITION} is graded. Not graded.")
        return
    if stem in student.notebooks:
        older = item.when < student.times[stem]
        if cells != student.notebooks[stem]:
            student.note(f"There are several versions of {stem}: the newest counts.")
        if older:
            return
    student.notebooks[stem], student.times[stem] = cells, item.when


def code_cells_of(content):
    """Return (id, tags, source) of the code cells in a notebook's bytes."""
    cells = []
    for number, cell in enumerate(json.loads(content.decode("utf-8-sig"))["cells"]):
        if cell["cell_type"] == "code":
            tags = cell.get("metadata", {}).get("tags", [])
            source = cell["source"]
            source = source if isinstance(source, str) else "".join(source)
            cells.append([str(cell.get("id", number)), [str(tag) for tag in tags], source])
    return cells


def notebook_of(name, cells, exercises):
    """Return the stem of the course's notebook that this one is, None if it is none."""
    tags = {tag for _, tags, _ in cells for tag in tags}
    fitting = {stem: len(tags & set(names)) for stem, names in exercises.items()}
    best = max(fitting, key=fitting.get)
    if fitting[best]:
        return best
    named = [stem for stem in exercises if stem in name]
    return named[0] if named and edition_of(cells) is not None else None


def edition_of(cells):
    """Return the edition that a notebook says it is of, None if it says none."""
    for _, _, source in cells:
        found = OF_EDITION.search(source)
        if found:
            return int(found[1] or 1)
    return None
