"""A student's server in a hub: lay the copies, keep within the limits, then be JupyterHub's own.

The hub runs this as the student, in the place of `jupyterhub-singleuser` and with its arguments.
"""

import os
import subprocess
import sys
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parents[1] / "course.py"


def limit(what, variable):
    """Limit what each process of the student may take to the number in a variable, if it is set."""
    import resource

    number = int(os.environ.get(variable, 0))
    if number:
        resource.setrlimit(what(resource), (number, number))


def main():
    """Become the server. Does not return."""
    os.umask(0o077)  # what a student writes, no other student reads
    limit(lambda resource: resource.RLIMIT_DATA, "MEM_LIMIT")  # set by JupyterHub, in bytes
    limit(lambda resource: resource.RLIMIT_NPROC, "COURSE_PROCESSES")
    work = Path(os.environ.setdefault("COURSE_WORK", str(Path.home() / "pytorch-course")))
    os.environ["JUPYTERHUB_ROOT_DIR"] = str(work)  # what JupyterLab shows
    # Whatever it ends with: who gets in with a full disk can make room.
    subprocess.run([sys.executable, str(LAUNCHER), "copies"], check=False)
    if work.is_dir():
        # JupyterLab's terminals begin here, so that one types as everywhere: python3 course.py ...
        os.chdir(work)
        if not os.path.lexists(LAUNCHER.name):
            os.symlink(LAUNCHER, LAUNCHER.name)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()
