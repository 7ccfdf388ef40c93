"""Read hand-ins as learning platforms deliver them: zips in zips, folders, bare notebooks.

Nothing is ever unpacked onto the disk: files are read in memory, no more of them than `Budget`
allows, and a path in a zip is a name and nothing else.
"""

import collections
import contextlib
import datetime
import io
import json
import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from tools.setup.console import CourseError
from utils.machine import EDITION

LARGEST = 20_000_000  # bytes of one notebook, outputs included
LARGEST_ZIP = 200_000_000  # bytes of a zip in a zip
MOST_FILES = 2000  # of one student
DEEPEST = 3  # zips in zips
SKIPPED = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "backup", "live", ".git", ".venv"}
# How platforms call what they deliver; what follows the name tells students of one name apart.
PLATFORMS = (
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w+_?.*",  # Moodle
    r"(?P<name>[^_]+?)(_LATE)?_(?P<number>\d+)_\d+_.+",  # Canvas
    r"(?P<number>\d+)-\d+ - (?P<name>.+?) - \w+ \d+, \d{4} .+",  # Brightspace
    r".+_(?P<name>[^_]+)_attempt_\d{4}(-\d\d){5}(_.+|\.txt)?",  # Blackboard
)
OVERVIEW = "index.html"  # lies beside what Brightspace delivers
GRADESCOPE = "submission_metadata.yml"  # says who has handed in which folder
AGAIN = re.compile(r"[ _-]*(\(\d+\)|v\d+|version ?\d+|copy\d*)$", re.I)
NOBODY = re.compile(r"(hand-in \d|\d\d_\w).*", re.I)  # the course's own names of files
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
    """A file that was handed in.

    Args:
        name: its path in what was handed in.
        when: when it was changed: year, month, day, hour, minute, second.
        read: called with the largest length, returns bytes, and may raise; None for a link or a
            folder, of which there is nothing to read.
        said: what is wrong with it, a sentence; empty if nothing is.
    """

    name: str
    when: tuple
    read: object
    said: str = ""

    def below(self, depth):
        """Return the item without its first folders."""
        return replace(self, name="/".join(PurePosixPath(self.name).parts[depth:]))


def students_in(folder, exercises):
    """Yield each `Student` of a folder, in the order of their names.

    Args:
        folder: a folder, or one zip of all.
        exercises: {stem: names of its exercises}, to tell which notebook one is.

    Raises:
        CourseError: there is no such folder, or nothing in it.
    """
    items = unwrapped(everything_in(Path(folder)))
    groups = by_student(items, submitters(items))
    if not groups:
        raise CourseError(f"There is nothing in {folder} that could be a hand-in.")
    names = collections.Counter(name for name, _ in groups)
    named = {
        f"{name} ({number})" if names[name] > 1 and number else name: items
        for (name, number), items in groups.items()
    }
    for name in sorted(named, key=str.casefold):
        student, budget = Student(name), Budget()
        if NOBODY.fullmatch(name):
            student.note("No name of a student is with this hand-in: its row has the file's.")
        for item in named[name]:
            take(student, item, exercises, budget)
        if not student.notebooks and not any("edition" in note for note in student.notes):
            student.note("There is no notebook of the course in this hand-in.")
        yield student


def everything_in(folder):
    """Return all `Item`s of a folder, or of one zip. Raises CourseError if there is none."""
    if not folder.exists():
        raise CourseError(f"There is no {folder}: name the folder with the hand-ins, or its zip.")
    if folder.is_dir():
        items = [item_of(path, folder) for path in sorted(folder.rglob("*"))]
        items = [item for item in items if not item.name.startswith(".")]
        # One zip of all, or the hand-in of the only student.
        if len(items) != 1 or not items[0].read or not items[0].name.lower().endswith(".zip"):
            return items
        inside = items_of_all(folder / items[0].name)
        return items if any("/" not in item.name and is_own(item) for item in inside) else inside
    return items_of_all(folder)


def items_of_all(path):
    """Return the files of one zip of all hand-ins. Raises CourseError if it is damaged."""
    try:
        return list(items_in_zip(path))
    except Exception as error:  # zipfile knows many ways to fail on a damaged file
        raise CourseError(f"{path} cannot be read: it is damaged, or no zip.") from error


def item_of(path, folder):
    """Return what lies below a folder as an `Item`."""
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return Item(name, (), None, f"{path.name} is a link, and was not followed.")
    if not path.is_file():
        return Item(name, (), None)
    moment = datetime.datetime.fromtimestamp(path.stat().st_mtime)

    def read(most):
        if path.stat().st_size > most:
            raise ValueError("too large")
        return path.read_bytes()

    return Item(name, moment.timetuple()[:6], read)


def is_own(item):
    """Return whether a file is one that a student hands in, and not another student's all."""
    name = PurePosixPath(item.name).name
    return name == "progress.json" or re.match(r"\d\d_\w+.*\.ipynb$", name) is not None


def unwrapped(items):
    """Return the items without a folder that is around them all.

    It is alone, none of its files is a student's own, and no platform has named it after one.
    """
    parts = [set(PurePosixPath(item.name).parts) for item in items]
    items = [item for item, each in zip(items, parts, strict=True) if each and not SKIPPED & each]
    inner = [item.below(1) for item in items]
    inner = [item for item in inner if item.name]
    own = any("/" not in item.name and is_own(item) for item in inner)
    alone = {PurePosixPath(item.name).parts[0] for item in items}
    several = len({item.name.partition("/")[0] for item in inner}) > 1
    if len(alone) == 1 and several and not own and not student_of(*alone)[1]:
        return inner
    return items


def submitters(items):
    """Return {folder: (names, number)} if Gradescope says who has handed in which folder."""
    names, folder = collections.defaultdict(list), ""
    for item in items:
        if item.name == GRADESCOPE and item.read:
            for line in item.read(LARGEST_ZIP).decode("utf-8", "replace").splitlines():
                if found := re.fullmatch(r"(\S+):\s*", line):
                    folder = found[1]
                elif found := re.fullmatch(r"  - :name: (.+)", line):
                    names[folder].append(printable(found[1].strip().strip("'\"")))
    return {
        folder: (", ".join(each), folder.removeprefix("submission_"))
        for folder, each in names.items()
    }


def by_student(items, known):
    """Return {(name, platform's number or ""): items} of all that was handed in.

    Args:
        items: all `Item`s, with students at the top.
        known: {name of a folder: (student's name, number)}.
    """
    groups = {}
    for item in items:
        first, _, rest = item.name.partition("/")
        if item.name != OVERVIEW and (not known or item.name != GRADESCOPE):
            who = known.get(first) or student_of(first)
            groups.setdefault(who, []).append(item.below(1) if rest else item)
    return groups


def student_of(name):
    """Return (name, number) of the student in the name of what a platform delivers."""
    name = printable(unicodedata.normalize("NFC", name))
    stem = re.sub(r"\.(zip|ipynb)$", "", name, flags=re.I)
    for platform in PLATFORMS:
        if found := re.fullmatch(platform, stem):
            return found["name"].strip(), found.groupdict().get("number", "")
    if NOBODY.fullmatch(stem):  # two such files are of two students
        return stem, ""
    return AGAIN.sub("", stem).strip() or stem, ""


def items_in_zip(file):
    """Yield the files of a zip, a path or an open file, as `Item`s.

    Raises:
        zipfile.BadZipFile, and others of a damaged file.
    """
    archive = zipfile.ZipFile(file)
    for entry in archive.infolist():
        name = name_of(entry)
        path, said = PurePosixPath(name.replace("\\", "/")), ""
        if path.is_absolute() or ".." in path.parts:
            said = f"A path in the zip climbs out ({name[:80]}): taken as a name alone."
            path = PurePosixPath(path.name)
        link = stat.S_ISLNK(entry.external_attr >> 16)
        if link:
            said = f"{path.name} in the zip is a link, and was not followed."

        def read_entry(most, entry=entry):
            if entry.file_size > most:
                raise ValueError("too large")
            with archive.open(entry) as opened:
                content = opened.read(most + 1)  # what the entry says of its size may be a lie
            if len(content) > most:
                raise ValueError("too large")
            return content

        nothing = link or entry.is_dir()
        yield Item(str(path), entry.date_time, None if nothing else read_entry, said)


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
    if item.said:
        student.note(item.said)
    if item.read is None:
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
            for inner in items_in_zip(io.BytesIO(content)):
                take(student, inner, exercises, budget, depth + 1)
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
