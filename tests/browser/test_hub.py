"""Three students on a hub with its real proxy: log in, work, hand in; what they hand in is graded.

The hub is that of hub/trial_config.py, whose servers run as the user who runs the tests.
"""

import csv
import secrets
import shutil
import socket
import stat
import subprocess
import sys

import lab_page
import pytest
from chromium import watched

from tools.notebooks.files import code_cells, read, tags, text_of
from tools.notebooks.solved import solved_source
from tools.settings import ROOT
from utils.exercises.tensors import min_max

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed (see hub/README.md)")
if not (ROOT / "hub" / "node_modules").is_dir() and not shutil.which("configurable-http-proxy"):
    reason = "JupyterHub's proxy is not installed (see hub/README.md)"
    pytest.skip(reason, allow_module_level=True)

NAME = "01_tensors"
PASSWORD = secrets.token_urlsafe(9)
SCREEN = {"width": 1280, "height": 900}
WRONG = min_max.wrong_answers[0]
# What a student writes in the place of the stub, what the check says, and the verdict.
STUDENTS = {
    "anna": (min_max.solution_code, "0 and 1 are now the ends", "right"),
    "ben": (WRONG.code, WRONG.says, "wrong"),
    "cleo": (None, "not attempted yet", "open"),
}


class Desk:
    """A student's server in the hub, as lab_page knows a server."""

    def __init__(self, hub, name):
        self.hub, self.name = hub, name

    def url(self, path):
        """Return the address of a path, such as "lab/tree/01_tensors.ipynb"."""
        return f"{self.hub}/user/{self.name}/{path}"

    def owns(self, address):
        """Return whether an address is of the hub, or data on the page."""
        own = (self.hub, self.hub.replace("http:", "ws:"), "data:", "blob:", "about:blank")
        return address.startswith(own)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """The folder of a trial."""
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(trial, browser):
    """The address of a running hub."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {"COURSE_TRIAL": str(trial), "COURSE_TRIAL_PORT": str(port)}
    variables["COURSE_TRIAL_PASSWORD"] = PASSWORD
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub", "-f", "hub/trial_config.py"],
        cwd=ROOT,
        env={**lab_page.student_environment(trial), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    output = lab_page.Output(process)
    try:
        output.wait_for("JupyterHub is now running")
        yield f"http://127.0.0.1:{port}"
    finally:
        lab_page.stop(process)
        output.close()


@pytest.fixture(scope="module")
def folders(trial, hub, browser):
    """The students' folders after all of them have worked and handed in."""
    for name, (answer, says, _) in STUDENTS.items():
        desk = Desk(hub, name)
        with watched(browser, desk.owns, viewport=SCREEN) as (page, outside, _):
            log_in(page, desk)
            work_on_the_exercise(page, desk, answer, says)
            hand_in(page)
            assert not outside, "a request would leave the machine"
    return {name: trial / "homes" / name / "pytorch-course" for name in STUDENTS}


def log_in(page, desk):
    """Log in, and wait until the student's server shows notebook 00."""
    page.goto(desk.hub)
    page.locator("#username_input").fill(desk.name)
    page.locator("#password_input").fill(PASSWORD)
    page.locator("#login_submit").click()
    # Where it leads; to wait until JupyterLab has opened it would only take its time.
    page.wait_for_url(
        desk.url("lab/tree/00_start_here.ipynb"), timeout=120_000, wait_until="commit"
    )


def work_on_the_exercise(page, desk, answer, says):
    """Open 01, run it up to the exercise, write an answer, run that and save."""
    lab_page.open_notebook(page, desk, NAME, folder=".")
    published = read(ROOT / "notebooks" / f"{NAME}.ipynb").cells
    number = next(n for n, cell in enumerate(published) if min_max.name in tags(cell))
    cell = page.locator(".jp-Notebook .jp-Cell").nth(number)
    cell.locator(".cm-content").click()
    if answer:
        solved = solved_source(published[number].source, min_max)
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(solved.replace(min_max.solution_code, answer))
    lab_page.begin_to_run(page, "Run All Above Selected Cell")
    cell.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+Enter")
    cell.locator(".jp-Cell-outputArea", has_text=says).wait_for(timeout=120_000)
    lab_page.save(page)


def hand_in(page):
    """Type the command in a terminal, and wait until the file is in the list of files."""
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_text("New", exact=True).hover()
    page.get_by_role("menuitem", name="Terminal", exact=True).click()
    page.locator(".jp-Terminal .xterm-helper-textarea").wait_for(state="attached")
    page.keyboard.type("python3 course.py hand-in\n")
    page.locator(".jp-DirListing-item", has_text="hand-in 20").wait_for(timeout=120_000)


def test_what_students_hand_in_gets_their_verdicts(folders, tmp_path):
    for name, folder in folders.items():
        handed_in = tmp_path / "hand-ins" / f"{name}.zip"
        handed_in.parent.mkdir(exist_ok=True)
        shutil.copy(next(folder.glob("hand-in *.zip")), handed_in)
    command = [sys.executable, "course.py", "grade", "--here", handed_in.parent, "--out", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True)
    with open(tmp_path / "results.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"]: row["01 min_max"] for row in rows} == {
        name: verdict for name, (_, _, verdict) in STUDENTS.items()
    }


def test_the_notebook_ran_and_is_private(folders):
    for folder in folders.values():
        cells = code_cells(read(folder / f"{NAME}.ipynb"))
        assert "[error]" not in "".join(text_of(cell.outputs) for cell in cells)
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
