"""One file to upload: `course.py hand-in`. Standard library only: it needs no environment.

The file holds the student's own notebooks and their progress.json, and nothing else: what lies in
folders beside them (backups, a presenter's copies) stays there.
"""

import datetime
import itertools
import os
import zipfile
from pathlib import Path

from tools.classroom.standing import counted, noted_in, standing
from tools.setup import workspace
from tools.setup.console import CourseError, explain, say
from utils.exercises import record
from utils.exercises.record import OPEN, WRONG
from utils.folders import work_folder

WIDTH = 92  # characters a line


def hand_in(target=None):
    """Write one zip file with what a student hands in. Return 0.

    Args:
        target: the folder to write it to, by default that of the student's copies.

    Raises:
        CourseError: there is nothing to hand in, or the folder is none.
        OSError: it cannot be written.
    """
    work = work_folder()
    folder = Path(target) if target else work
    notebooks = own_notebooks(work)
    if not notebooks:
        raise CourseError(
            f"There is nothing to hand in: no notebook in {workspace.shown(work)} differs from the "
            "course's own. Did you save it (Ctrl-S in JupyterLab)?"
        )
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: name one that exists.")
    stands, notes = standing(noted_in(work)), work / record.FILE
    files = [*notebooks, *([notes] if notes.is_file() else [])]
    path = write_zip(folder, files)
    say(f"{path}")
    say(f"Upload this one file. In it: {', '.join(file.name for file in files)}.")
    handed = {stem: stands[stem] for stem in stands if any(stem in file.stem for file in notebooks)}
    for stem, statuses in handed.items():
        left = [name for name, status in statuses.items() if status in (OPEN, WRONG)]
        more = f"; not right yet: {', '.join(left)}" if left else ""
        say(f"  {stem}: {counted(statuses.values())}{more}")
    say("This is what your own checks said last. What is graded is what the notebooks hold.")
    return 0


def own_notebooks(work):
    """Return the student's notebooks in `work` that are not as the course laid them."""
    laid = workspace.Memory(work).laid
    return [
        path
        for path in sorted(work.glob("*.ipynb"))
        if path.is_file() and laid.get(path.name) != workspace.fingerprint(path.read_bytes())
    ]


def write_zip(folder, files):
    """Write files into a new zip file, whole or not at all. Return its path; overwrite nothing."""
    moment = datetime.datetime.now().strftime("%Y-%m-%d %H-%M")
    for number in itertools.count(1):
        path = folder / (
            f"hand-in {moment}.zip" if number == 1 else f"hand-in {moment} ({number}).zip"
        )
        try:
            place = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0))
        except FileExistsError:
            continue
        try:
            with (
                os.fdopen(place, "wb") as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                for each in files:
                    archive.writestr(entry_for(each), each.read_bytes())
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise CourseError(f"{explain(error)} Nothing was written.") from error
            raise
        return path


def entry_for(path):
    """Return the entry of a file in the zip, with its time. A zip knows no year before 1980."""
    moment = datetime.datetime.fromtimestamp(max(path.stat().st_mtime, 315619200))
    entry = zipfile.ZipInfo(path.name, moment.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
