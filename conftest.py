"""Settings that must be in place before torch, matplotlib or a kernel starts.

They are here, not in the launcher, so that `pytest` typed by hand runs what `course.py test` runs.
"""

import os

os.environ.setdefault("COURSE_PROGRESS", "0")  # a progress bar's text differs from run to run
os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks are faster, and workers do not fight
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable matrix products on CUDA
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # without it jupyter_core warns on stderr
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # or its notes are stderr
