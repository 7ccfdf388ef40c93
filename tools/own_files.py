"""Which files are the course's own: those that git knows or, without git, all but the ignored."""

import fnmatch
import os
import subprocess
from pathlib import Path

from tools.settings import ROOT

READ_ME = "READ-ME-FIRST.txt"  # of a package, as is the folder wheels

# Never the course's own, whatever .gitignore says.
NEVER = [".git", ".venv", "work", "build", "wheels", READ_ME]


def course_files():
    """Return (own, unknown): paths relative to the course's folder, with / between folders.

    `unknown` are files that git neither knows nor ignores; without git there are none.
    """
    known = git_files("--cached")
    if known:
        return [name for name in known if (ROOT / name).is_file()], git_files("--others")
    return not_ignored(), []


def git_files(which):
    """Return the paths that git lists, none if it does not answer for this folder."""
    # The folder may lie, downloaded, in somebody else's repository.
    if not (ROOT / ".git").exists():
        return []
    command = ["git", "ls-files", "-z", which, "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return []
    if done.returncode != 0:
        return []
    return sorted(filter(None, done.stdout.decode("utf-8").split("\0")))


def not_ignored():
    """Return the paths of all files that .gitignore does not name."""
    patterns = NEVER + ignored_names()
    names = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not matches(name, patterns)]
        for name in files:
            if not matches(name, patterns):
                names.append((Path(folder) / name).relative_to(ROOT).as_posix())
    return sorted(names)


def ignored_names():
    """Return the patterns of .gitignore. Those of the course are names, without a path."""
    try:
        lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.strip().rstrip("/") for line in lines if line.strip() and line[0] != "#"]


def matches(name, patterns):
    """Return whether a file's or folder's name is one of those patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
