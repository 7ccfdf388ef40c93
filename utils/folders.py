"""Where a student's copies of the notebooks lie: what decides it is here, and only here.

Standard library only: the launcher asks before anything is installed.
"""

import os
from pathlib import Path

# Not resolved, like ROOT in tools/settings.py, and for its reason.
INSIDE = Path(os.path.abspath(__file__)).parents[1] / "work"
# A file in a folder of copies that is not INSIDE. It holds the path of the course, so that the
# set-up cell of a copy finds that, whoever opens it: JupyterLab, a hub, an editor.
POINTER = ".course-folder"


def work_folder():
    """Return the folder of the student's copies, which may be still to be made.

    It is what COURSE_WORK says, else work/ in the course's folder, or, where that may only be read,
    pytorch-course in the home folder.
    """
    wanted = os.environ.get("COURSE_WORK")
    if wanted:
        return Path(os.path.abspath(os.path.expanduser(wanted)))
    writable = os.access(INSIDE if INSIDE.exists() else INSIDE.parent, os.W_OK)
    return INSIDE if writable else Path.home() / "pytorch-course"


def copies_here():
    """Return the current folder, a kernel's, if it is one of a student's copies, else None."""
    here = Path.cwd()
    if (here / POINTER).is_file() or (INSIDE.is_dir() and INSIDE.samefile(here)):
        return here
    return None
