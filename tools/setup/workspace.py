"""The student's own copies of the notebooks; `utils/folders.py` decides where, mostly in `work/`.

A copy has the outputs cleared, so that the student predicts before seeing. What a student has
changed is never overwritten: a newer published notebook is laid beside it, and said once.
`.course.json` beside them remembers the sha256 of each copy as it was laid; without it every file
counts as changed. Standard library only.
"""

import contextlib
import datetime
import hashlib
import itertools
import json
import os
import urllib.parse
from pathlib import Path

from tools.settings import LAUNCHER, ROOT
from tools.setup.console import CourseError, explain, say
from utils import folders
from utils.machine import sign

PUBLISHED = ROOT / "notebooks"
FIRST = "00_start_here.ipynb"
HUB = "JUPYTERHUB_SERVICE_PREFIX"  # a variable that JupyterHub sets, and Binder with it


def shown(path):
    """Return a path as it is said: short where it lies in the course's folder."""
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else str(path)


def published_names():
    """Return the file names of the published notebooks, in order."""
    return sorted(path.name for path in PUBLISHED.glob("[0-9][0-9]_*.ipynb") if path.is_file())


def cleared(content):
    """Return a notebook's bytes without outputs and execution counts, otherwise the same.

    Raises ValueError if `content` is no notebook.
    """
    notebook = json.loads(content.decode("utf-8"))
    try:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = []
                cell["execution_count"] = None
    except (KeyError, TypeError) as error:
        raise ValueError("no notebook") from error
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def fresh_copy(name):
    """Return the bytes of a new copy of a notebook. Raises CourseError if it is damaged."""
    try:
        return cleared((PUBLISHED / name).read_bytes())
    except ValueError as error:
        raise CourseError(
            f"notebooks/{name} is no valid notebook: restore it from where you got the course."
        ) from error


def fingerprint(content):
    """Return the sha256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path, content):
    """Write bytes whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


class Memory:
    """What was laid: `laid` {file name: sha256 of the copy} and `offered` {notebook: sha256}.

    `offered` is the newest version that the student was told about.
    """

    def __init__(self, work):
        self.path = work / ".course.json"
        self.laid, self.offered = {}, {}
        # Missing or damaged: nothing is known, so every file counts as the student's.
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self.laid, self.offered = dict(content["laid"]), dict(content["offered"])
        self.before = self.as_bytes()

    def as_bytes(self):
        """Return the content of the file."""
        content = {"laid": self.laid, "offered": self.offered}
        return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode("utf-8")

    def save(self):
        """Write the file if anything changed."""
        if self.as_bytes() != self.before or not self.path.exists():
            write_whole(self.path, self.as_bytes())
            self.before = self.as_bytes()


def made(work):
    """Make the folder of the copies where it is missing. Return what is remembered of it.

    Raises CourseError if it holds the published notebooks, OSError if it cannot be written.
    """
    if work in (ROOT, PUBLISHED):
        raise CourseError(f"{work} holds the course itself: name another folder for your copies.")
    work.mkdir(parents=True, exist_ok=True)
    if work != folders.INSIDE:
        pointer, course = work / folders.POINTER, f"{ROOT}\n".encode()
        if not pointer.is_file() or pointer.read_bytes() != course:
            write_whole(pointer, course)
    return Memory(work)


def lay_copies(work):
    """Lay and update the copies in `work`. Return the sentences that the student should read.

    Raises CourseError or OSError as `made` does.
    """
    memory = made(work)
    sentences = []
    try:
        for name in published_names():
            try:
                sentence = lay(name, work, memory)
            except CourseError as error:
                sentence = str(error)
            if sentence:
                sentences.append(sentence)
    finally:
        memory.save()
    return sentences


def lay(name, work, memory):
    """Lay or update one copy. Return a sentence if the student should know, else None."""
    fresh = fresh_copy(name)
    newest = fingerprint(fresh)
    copy = work / name
    if not os.path.lexists(copy):
        write_whole(copy, fresh)
        memory.laid[name] = newest
        return None
    if not copy.is_file():
        return f"{shown(copy)} is no file, so there is no copy of this notebook: rename it."
    content = copy.read_bytes()
    known = memory.laid.get(name)
    if fingerprint(content) == newest:
        memory.laid[name] = newest
        return None
    if fingerprint(content) == known:
        write_whole(copy, fresh)
        memory.laid[name] = newest
        return f"{shown(copy)} is now the newest version; you had changed nothing in it."
    if newest in (known, memory.offered.get(name)):
        return None
    if known is None and runs_to(content, fresh):
        # Nothing is remembered, and only outputs differ: there is no newer version to offer.
        return None
    beside = lay_beside(name, fresh, work, memory)
    memory.offered[name] = newest
    return (
        f"There is a newer {name}. Yours is as you left it, the new one lies beside it as "
        f'"{beside}". To change over with yours backed up: {LAUNCHER} reset {name[:2]}'
    )


def runs_to(content, fresh):
    """Return whether a student's file is the fresh copy with nothing but outputs added.

    JupyterLab also notes things about the notebook as a whole: its language, what widgets show.
    """
    try:
        return json.loads(cleared(content))["cells"] == json.loads(fresh)["cells"]
    except ValueError:
        return False


def lay_beside(name, fresh, work, memory):
    """Lay a new version under a name of its own and return that name. Overwrites no change."""
    stem = Path(name).stem
    names = itertools.chain(
        [f"{stem} (new).ipynb"], (f"{stem} (new {number}).ipynb" for number in itertools.count(2))
    )
    for beside in names:
        path = work / beside
        if os.path.lexists(path):
            if not path.is_file() or fingerprint(path.read_bytes()) != memory.laid.get(beside):
                continue
        write_whole(path, fresh)
        memory.laid[beside] = fingerprint(fresh)
        return beside


def lay_and_say():
    """Lay the copies where they belong, and say what the student should know. Return the folder."""
    work = folders.work_folder()
    if work != folders.INSIDE and not os.environ.get("COURSE_WORK"):
        say(
            f"The course's folder may only be read, so your notebooks lie in {work}. To have them "
            f"elsewhere: {LAUNCHER} lab --work FOLDER"
        )
    for sentence in lay_copies(work):
        say(sentence)
    return work


def copies():
    """Lay the copies, and say where they are; within a hub, how to open them. Return 0."""
    first = lay_and_say() / FIRST
    say(within_hub(first) if HUB in os.environ else f"Your notebooks lie beside {shown(first)}.")
    return 0


def within_hub(first):
    """Return how to open a copy in the JupyterLab of the hub in which this runs."""
    # What the terminal's own server says; else what the hub was told; else what it does by itself.
    said = os.environ.get("JUPYTER_SERVER_ROOT") or os.environ.get("JUPYTERHUB_ROOT_DIR") or "~"
    served = Path(os.path.realpath(os.path.expanduser(said)))
    try:
        inside = Path(os.path.realpath(first)).relative_to(served).as_posix()
    except ValueError:
        return (
            f"This hub shows what lies in {served}, and {first.parent} does not. This lays your "
            f'notebooks there: {LAUNCHER} copies --work "{served / "pytorch-course"}"'
        )
    return (
        f"You are in a hub, where JupyterLab runs already. Open {inside} in its list of files on "
        f"the left, or at {os.environ[HUB]}lab/tree/{urllib.parse.quote(inside)} behind the "
        "hub's address."
    )


# -- A fresh copy on request -------------------------------------------------------------------


def find(wanted):
    """Return the published notebook that 1, 01, 01_tensors, tensors or the name of its file mean.

    Raises CourseError with the list of notebooks for any other.
    """
    names = published_names()
    stem = wanted.replace("\\", "/").rpartition("/")[2].removesuffix(".ipynb")
    for name in names:
        own = Path(name).stem
        if stem in (own, own[3:]) or (stem.isdecimal() and int(stem) == int(name[:2])):
            return name
    there = ", ".join(Path(name).stem for name in names) or "none"
    raise CourseError(f"There is no notebook {wanted}; there are: {there}.")


def reset(wanted, work):
    """Back up the student's copies in `work` and lay fresh ones. Return 0.

    Raises CourseError, before anything is changed, if one of them does not exist.
    """
    names = list(dict.fromkeys(find(word) for word in wanted))
    copies = {name: fresh_copy(name) for name in names}
    memory = made(work)
    for name, fresh in copies.items():
        backup = back_up(name, fresh, work)
        write_whole(work / name, fresh)
        memory.laid[name] = fingerprint(fresh)
        memory.offered.pop(name, None)
        memory.save()
        kept = f'; yours is kept as "{backup}"' if backup else ""
        say(f"{sign(True)} {shown(work / name)} is fresh{kept}.")
    say("If it is open in JupyterLab, choose File > Reload from Disk there.")
    return 0


def back_up(name, fresh, work):
    """Keep what the student has. Return the backup's path, None if nothing would be lost."""
    copy = work / name
    if os.path.lexists(copy) and not copy.is_file():
        raise CourseError(f"{shown(copy)} is no file: rename it, then start again.")
    if not copy.exists() or copy.read_bytes() == fresh:
        return None
    folder = work / "backup"
    folder.mkdir(exist_ok=True)
    moment = datetime.datetime.now().strftime("%Y-%m-%d %H-%M-%S")
    stem = f"{Path(name).stem} {moment}"
    for number in itertools.count(1):
        path = folder / (f"{stem}.ipynb" if number == 1 else f"{stem} ({number}).ipynb")
        try:
            with open(path, "xb") as file:
                file.write(copy.read_bytes())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        except OSError as error:
            # Half a backup is none, and without one the copy stays as it is.
            with contextlib.suppress(OSError):
                path.unlink()
            raise CourseError(f"{explain(error)} {shown(copy)} is unchanged.") from error
        return shown(path)
