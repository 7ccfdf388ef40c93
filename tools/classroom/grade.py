"""Grade a folder of hand-ins: each exercise of each student, and what the class got wrong.

    python3 course.py grade FOLDER [--out DIR]

Each answer runs in a process of its own; see TEACHING.md, "Collecting and grading". What is graded
is kept, student by student: started again, it goes on where it was. Linux only.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from tools.classroom.reports import Class, Place, write_reports
from tools.classroom.standing import CHECKED, exercises_by_notebook
from tools.classroom.submissions import students_in
from tools.settings import BUILD, LAUNCHER, ROOT
from tools.setup import workspace
from tools.setup.console import CourseError, guarded, say

KEPT = "graded.json"  # of each student: what was found, and what it was found from
CONTAINER = 'TEACHING.md, "Collecting and grading", says how to do it in a container.'
SECTION = re.compile(r"^## (.+?)(?: \([^()]*\))?$", re.M)
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "COURSE_PROGRESS": "0",
    "COURSE_DEVICE": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Large pages, where the system has them: a process is forked and ended in two thirds the time.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class Worker:
    """A process that grades one student after the other, without the instructor's environment."""

    def __init__(self, limits, scratch, own_checks=()):
        self.arguments = [json.dumps(limits), *own_checks]
        self.scratch, self.stopped = scratch, False
        self.start()

    def start(self):
        """Start the process. Raises CourseError if it ends before it is ready."""
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        places = dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), self.scratch)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.classroom.worker", *self.arguments],
            cwd=ROOT,
            env={**passed_on, **ENVIRONMENT, **places},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the command, which stops it
        )
        try:
            first = self.answer()
        except EOFError:
            raise CourseError("The process that grades did not start.") from None
        self.guards, self.problem = first["guards"], first["problem"]

    def answer(self):
        """Return the next line that the process writes. Raises EOFError if it has ended."""
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            raise EOFError
        return json.loads(line)

    def grade(self, notebooks):
        """Return {stem: {exercise: what was found}}; a process that ends is started anew, once.

        Raises EOFError if it ends again, or was stopped.
        """
        for last in (False, True):
            try:
                self.process.stdin.write(json.dumps(notebooks) + "\n")
                self.process.stdin.flush()
                return self.answer()
            except (OSError, EOFError):
                if last or self.stopped:
                    raise EOFError from None
                self.process.kill()
                self.process.wait()
                self.start()

    def stop(self):
        """End the process for good."""
        self.stopped = True
        self.process.kill()
        self.process.wait()


class Grading:
    """Students go to the workers, and what was found to the folder of results.

    Args:
        students: yields each `Student`.
        target: the folder of results.
        limits: as JSON knows `Limits`.
        own_checks: paths of the instructor's own.
    """

    def __init__(self, students, target, limits, own_checks):
        self.students, self.target, self.limits = students, target, limits
        self.own_checks, self.edition = own_checks, checks_fingerprint(own_checks)
        self.results, self.failures, self.guards = [], [], None
        self.lock, self.stopped, self.workers = threading.Lock(), False, []

    def run(self, count, scratch):
        """Grade all, with so many workers; raise what went wrong."""
        threads = [
            threading.Thread(target=self.work, args=(scratch,), daemon=True) for _ in range(count)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        finally:
            self.stopped = True
            for worker in self.workers:
                worker.stop()
        if self.failures:
            raise self.failures[0]

    def work(self, scratch):
        """Take students and grade them, until there is none left."""
        worker = None
        try:
            while not self.stopped and not self.failures:
                with self.lock:
                    student = next(self.students, None)
                if student is None:
                    return
                result = self.kept(student)
                if result is None:
                    worker = worker or self.new_worker(scratch)
                    result = self.keep(student, self.found(student, worker))
                self.results.append(result)
                say(f"{len(self.results):4}  {result['name']}: {summary(result)}")
        except BaseException as error:
            if not self.stopped:
                self.failures.append(error)

    def found(self, student, worker):
        """Return what a worker finds. Raises EOFError if all is stopped."""
        try:
            return worker.grade(student.notebooks)
        except EOFError:
            if self.stopped:
                raise
            student.note("Grading this hand-in ended the program twice.")
            return {}

    def new_worker(self, scratch):
        """Start a worker. Raises CourseError if it cannot grade, in words."""
        worker = Worker(self.limits, scratch, self.own_checks)
        self.workers.append(worker)
        if worker.problem:
            raise CourseError(f"Nothing was graded: {worker.problem}")
        self.guards = worker.guards
        return worker

    def fingerprint(self, student):
        """Return a fingerprint of what a result depends on."""
        what = [student.notebooks, student.notes, self.limits, self.edition]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def path_of(self, student):
        """Return where what was found of a student is kept."""
        return self.target / "students" / folder_of(student.name) / KEPT

    def kept(self, student):
        """Return what was found of a student before, None if it was something else or nothing."""
        try:
            kept = json.loads(self.path_of(student).read_text(encoding="utf-8"))
            return kept if kept["from"] == self.fingerprint(student) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, student, found):
        """Write what was found, whole or not at all, and return it."""
        result = {
            "name": student.name,
            "folder": folder_of(student.name),
            "from": self.fingerprint(student),
            "notes": student.notes,
            "notebooks": found,
        }
        path = self.path_of(student)
        path.parent.mkdir(parents=True, exist_ok=True)
        write = json.dumps(result, indent=1, ensure_ascii=False)
        workspace.write_whole(path, write.encode("utf-8", "replace"))
        return result


def summary(result):
    """Return a student's results in a few words."""
    found = [each["status"] for book in result["notebooks"].values() for each in book.values()]
    counts = ", ".join(f"{found.count(status)} {status}" for status in ("right", "wrong", "open"))
    return "; ".join([counts if found else "nothing to grade", *result["notes"]])


def folder_of(name):
    """Return a name for a student's folder: readable, and no other student's."""
    readable = re.sub(r"[^\w-]+", "-", name).strip("-")[:60] or "student"
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def checks_fingerprint(own_checks):
    """Return a fingerprint of the checks: with others, everything is graded anew."""
    paths = [*sorted((ROOT / "utils/exercises").glob("*.py")), *map(Path, own_checks)]
    content = [path.read_bytes() for path in paths]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def places_of_exercises():
    """Return {(stem, exercise): its `Place` in the course's notebook}."""
    found = {}
    for name in workspace.published_names():
        section = ""
        for cell in json.loads(workspace.fresh_copy(name))["cells"]:
            source = "".join(cell["source"])
            section = next(iter(SECTION.findall(source)), section)
            for exercise in CHECKED.findall(source):
                found[name.removesuffix(".ipynb"), exercise] = Place(cell["id"], section)
    return found


def what_was_guarded(guards):
    """Return sentences that say what was guarded and what was not."""
    from tools.classroom import confinement

    if guards is None:
        return ["Nothing was run this time: all results are from before."]
    sentences = [f"Guarded: {confinement.GUARDS[name]}." for name in guards]
    doors = [door for name, door in confinement.OPEN_DOORS.items() if name not in guards]
    return [*sentences, *(f"Not guarded: {door}." for door in doors), confinement.ALWAYS_OPEN]


def main(arguments=None):
    """Grade a folder; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} grade", description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="the hand-ins: a folder, or one zip of all")
    parser.add_argument("--out", default=str(BUILD / "grades"), help="default: build/grades/")
    parser.add_argument("--checks", metavar="FILE", help="your own, in the place of the course's")
    parser.add_argument("--seconds", type=float, default=10, help="for one answer (default: 10)")
    parser.add_argument(
        "--workers", type=int, default=0, help="default: one for each core, at most 8"
    )
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        raise CourseError(
            f"Other people's programs can be confined on Linux only; on Windows in WSL. {CONTAINER}"
        )
    from tools.classroom.confinement import Limits

    say(f"Hand-ins are programs of other people, and they run here, confined. {CONTAINER}\n")
    exercises = exercises_by_notebook()
    target = Path(options.out)
    limits = asdict(Limits(seconds=options.seconds))
    students = students_in(options.folder, exercises)
    own_checks = [str(Path(options.checks).absolute())] if options.checks else []
    grading = Grading(students, target, limits, own_checks)
    cores = len(os.sched_getaffinity(0))
    # Open to the user nobody on the way to a folder of its own, and to be listed by none.
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as scratch:
        os.chmod(scratch, 0o711)
        grading.run(max(1, options.workers or min(8, cores)), scratch)
    results = sorted(grading.results, key=lambda result: result["name"].casefold())
    guarded_sentences = what_was_guarded(grading.guards)
    site = BUILD / "site"
    pages = os.path.relpath(site, target) if (site / "index.html").exists() else ""
    group = Class(results, exercises, places_of_exercises(), guarded_sentences, pages)
    write_reports(group, target)
    for sentence in guarded_sentences:
        say(sentence)
    say(f"{len(results)} students: {target / 'class.html'}, results.csv, and a page for each.")
    return 0


if __name__ == "__main__":
    stopped = "Stopped. What is graded is kept: start the same command again to go on."
    sys.exit(guarded(main, stopped=stopped))
