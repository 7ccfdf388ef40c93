"""What every test run needs: settings, two levels, and notebooks compared with what is published.

It is here, not in the launcher, so that `pytest` typed by hand runs what `course.py test` runs.
"""

import os

# These must be in place before torch, matplotlib or a kernel starts.
os.environ.setdefault("COURSE_PROGRESS", "0")  # a progress bar's text differs from run to run
os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks are faster, and workers do not fight
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable matrix products on CUDA
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # without it jupyter_core warns on stderr
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # or its notes are stderr

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

from tools.notebooks.compare import difference

# What another processor could change: `course.py test --other-cpu` runs it once more.
COMPUTES = ("notebooks/", "tests/training/", "tests/course/test_data.py")
# What takes longest goes first, and stays on one worker: the tests in the browser, because that
# wants a core of its own, and each file of these folders, whose tests share a kernel or a folder.
BROWSER = "tests/browser/"
WHOLE_FILES = ("notebooks/", "tests/setup/", "tests/tools/", "tests/classroom/")
WHOLE_FILES += ("tests/training/test_distributed.py",)
LEFT_OUT = pytest.StashKey[int]()
TWICE = "test_solved_and_each_cell_twice"  # what --full runs in the place of nbval, for a few


# -- Two levels --------------------------------------------------------------------------------


def pytest_addoption(parser):
    """Add the options that run all tests, and these for all notebooks."""
    parser.addoption("--full", action="store_true", help="run the tests marked full, too")
    every = "with --full: the longest tests take every notebook, not a few"
    parser.addoption("--every-notebook", action="store_true", help=every)


@pytest.hookimpl(tryfirst=True)  # before -m selects by marker
def pytest_collection_modifyitems(config, items):
    """Mark and order the tests; without --full, leave out those marked full."""
    for item in items:
        if item.nodeid.startswith(COMPUTES):
            item.add_marker("computes")
        if item.nodeid.startswith(BROWSER):
            item.add_marker("full")
    items.sort(key=turn)
    if config.option.full:
        # They compare a first run with what is published, as nbval does: once is enough.
        run_twice = {item.name.partition("[")[2] for item in items if item.name.startswith(TWICE)}
        items[:] = [item for item in items if f"{stem_of(item)}]" not in run_twice]
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    if left_out:
        config.stash[LEFT_OUT] = len(left_out)
        getattr(config, "workeroutput", {})["left out"] = len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def stem_of(item):
    """Return the name of the notebook that nbval would run, without .ipynb; "" for a test."""
    return item.path.stem if isinstance(item, IPyNbCell) else ""


def turn(item):
    """Return when a test's turn comes: short ones last, so that all workers end together."""
    for number, folder in enumerate((BROWSER, *WHOLE_FILES), start=1):
        if item.nodeid.startswith(folder):
            return number
    return 0 if item.get_closest_marker("full") else 9


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over how many tests were left out from the worker, which collected them."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", 0)


def pytest_terminal_summary(terminalreporter, config):
    """Say how many tests were left out, and what tests have measured, milliseconds or a text."""
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(f"Tests that run only with --full: {left_out}")
    for report in terminalreporter.stats.get("passed", []):
        for what, found in report.user_properties:
            measured = found if isinstance(found, str) else f"{found:.0f} ms"
            terminalreporter.write_line(f"{what}: {measured}")


# -- Workers -----------------------------------------------------------------------------------


class Scheduler(LoadScopeScheduling):
    """Keep together what belongs to one worker, and distribute all other tests one by one."""

    def _split_scope(self, nodeid):
        if nodeid.startswith(BROWSER):
            return BROWSER
        return nodeid.partition("::")[0] if nodeid.startswith(WHOLE_FILES) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Say how tests are distributed. The rules that xdist offers know whole files or none."""
    return Scheduler(config, log)


# -- Notebooks ---------------------------------------------------------------------------------


def compare_outputs(item, outputs, published, skip_compare=None):
    """Compare a cell's outputs in the place of nbval, which skips pictures and knows no tolerance.

    Returns:
        bool: whether they are the same; if not, `item.comparison_traceback` says why.
    """
    lines = difference(NotebookNode(item.cell, outputs=published), outputs)
    item.comparison_traceback = [f"cell {item.cell.id}:\n{lines}"]
    return not lines


IPyNbCell.compare_outputs = compare_outputs
