"""A copy of the course served by JupyterLab, and its pages driven as a student's hands do.

For the tests and for measurements. The copy has folders of its own for all that JupyterLab keeps,
so that nobody's work and settings are touched. Nothing here waits for a time to pass: each step
waits for what it needs to see.
"""

import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from tools import lab
from tools.settings import ROOT
from tools.setup.console import CourseError

PARTS = ["notebooks", "utils", "data", "tools", "course.py", "requirements.txt"]
# What the tests set for themselves, and a student has not.
NOT_A_STUDENTS = ("JUPYTER", "COURSE_", "OMP_", "PYDEVD_", "CUBLAS_", "PYTHON")
STARTS = 120  # seconds that a server, a page or a kernel may take to be there
RUNS = 600  # seconds that a notebook may run

TAB = ".lm-DockPanel-tabBar .lm-TabBar-tab.jp-mod-current"
# Both, since the page calls itself idle before it looks for a kernel, and would ask for one.
KERNEL_READY = """() => {
  const page = document.querySelector('.jp-Notebook-ExecutionIndicator');
  const bar = document.querySelector('#jp-main-statusbar');
  return page?.dataset.status === 'idle' && bar?.textContent.includes('| Idle');
}"""
# The execution counts of the page's code cells as texts: "[ ]:", "[*]:", "[3]:".
COUNTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.textContent)"
RUN_BEGINS = f"() => {COUNTS}.some(count => /[*0-9]/.test(count))"
# All have run; or an error has stopped the others, and the last that ran is through.
RUN_ENDS = f"""() => {{
  const counts = {COUNTS};
  const failed = document.querySelector('[data-mime-type$="jupyter.error"]');
  return !counts.some(count => count.includes('*')) &&
    (failed || counts.every(count => /\\d/.test(count)));
}}"""


# ---------------------------------------------------------------------------------- the server
def copy_course(target):
    """Copy what a student gets to `target`, without environment and work. Return `target`."""
    target.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            shutil.copytree(source, target / part, ignore=ignored)
        else:
            shutil.copy(source, target)
    return target


class Server:
    """A running JupyterLab: its `course` folder, `address` (ends with /), `token` and `page`.

    `page` is the address that the server says, and that opens by itself in a browser.
    """

    def __init__(self, course, page):
        self.course, self.page = course, page
        self.address = re.match(r"http://[^/]+/", page)[0]
        self.token = re.search(r"[?&]token=(\w+)", page)[1]

    def url(self, path):
        """Return the address of a path, such as "lab/tree/work/00_start_here.ipynb"."""
        return f"{self.address}{path}{'&' if '?' in path else '?'}token={self.token}"

    def owns(self, address):
        """Return whether an address is of this server, or data on the page."""
        own = (self.address, self.address.replace("http:", "ws:"), "data:", "blob:", "about:blank")
        return address.startswith(own)

    def ask(self, path, method="GET"):
        """Return what the server's interface answers, as read from JSON; None for no content."""
        request = urllib.request.Request(self.url(path), method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=STARTS) as reply:
            content = reply.read()
        return json.loads(content) if content else None

    def stop_kernels(self):
        """Shut all kernels down, as the student's computer does over night."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")


@contextlib.contextmanager
def serving(course, *command):
    """Serve a copy of the course by a command of its launcher: "lab", or "present", "01".

    Gives the Server, and stops it at the end, come what may. Raises CourseError with what was
    printed if it does not start.
    """
    with tempfile.TemporaryDirectory() as own:
        process = subprocess.Popen(
            [sys.executable, "course.py", *command, *options(command, Path(own))],
            cwd=course,
            env=student_environment(Path(own)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=os.name != "nt",
        )
        output = Output(process)
        try:
            server = Server(course, output.wait_for(r"http://127\.0\.0\.1:\S+")[0])
            wait_for(server, process)
            yield server
        finally:
            stop(process)
            output.close()


def options(command, own):
    """Return the options of the command, with the settings of `lab` in a folder of its own.

    `course.py lab` writes them into `.venv`, which a copy that borrows its Python has not.
    """
    plain = ["--here", "--no-browser", "--port", "0"]
    if command[0] != "lab":
        return plain
    settings = own / "settings"
    settings.mkdir()
    text = json.dumps(lab.LAB_SETTINGS)
    (settings / "overrides.json").write_text(text, encoding="utf-8")
    return [*plain, "--", f"--LabApp.app_settings_dir={settings}"]


def student_environment(own):
    """Return the variables of a student's console; what JupyterLab keeps goes to a folder."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(NOT_A_STUDENTS)}
    folders = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    return {**variables, **folders, "PYTHONUNBUFFERED": "1"}


class Output:
    """What a starting server prints, read all the time: a full pipe would stop it."""

    def __init__(self, process):
        self.stream, self.lines = process.stdout, queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        """Pass lines on to the end; None says that there are no more."""
        for line in self.stream:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, pattern):
        """Return the match of a pattern in what is said. Raises CourseError if it does not come."""
        said = ""
        while not (found := re.search(pattern, said)):
            try:
                line = self.lines.get(timeout=STARTS)
            except queue.Empty:
                line = None
            if line is None:
                raise CourseError(f"The server has not started:\n{said}")
            said += line
        return found

    def close(self):
        """Close the pipe of a process that has ended."""
        self.reader.join(timeout=STARTS)
        self.stream.close()


def wait_for(server, process):
    """Return when a server answers: it says its address shortly before it listens there."""
    while process.poll() is None:
        with contextlib.suppress(urllib.error.URLError):
            server.ask("api")
            return
    raise CourseError("JupyterLab has stopped by itself.")


def stop(process):
    """End a server, which ends its kernels, and wait until it has ended."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        process.wait()
        return
    # The group: the launcher and what it has started.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
            return


# ------------------------------------------------------------------------------------ the page
def open_notebook(page, server, name, folder="work"):
    """Open a notebook in JupyterLab and wait until it and its kernel are there.

    Args:
        page: of playwright.
        name: for example "01_tensors".
        folder: under the server's root.
    """
    # `reset`: without the pages that this browser had open before.
    path, patience = f"{folder}/{name}.ipynb", {"timeout": STARTS * 1000}
    page.goto(server.url(f"lab/tree/{path}?reset"))
    page.wait_for_selector(f"{TAB} >> text={name}.ipynb", **patience)
    page.wait_for_function(KERNEL_READY, **patience)


def run_all(page):
    """Choose Run > Run All Cells, and wait until all has run or an error has stopped it."""
    begin_to_run(page, "Run All Cells")
    # Asked at each frame, which is what playwright does by itself, this would take a whole core.
    page.wait_for_function(RUN_ENDS, timeout=RUNS * 1000, polling=500)


def begin_to_run(page, command):
    """Choose a command of the menu Run, such as "Run All Cells", and wait until cells run."""
    from playwright.sync_api import TimeoutError

    for _ in range(10):
        try:
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text(command, exact=True).click()
        except TimeoutError as error:
            asked = " ".join(page.locator("dialog").all_inner_texts())
            raise CourseError(f"{command} cannot be chosen; JupyterLab asks: {asked}") from error
        # What is asked in the moment in which the page finds its new kernel is lost.
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(RUN_BEGINS, timeout=5000)
            break


def counts(page):
    """Return the execution counts that the page shows: numbers, "*" or "" for each code cell."""
    found = [re.search(r"\[(.*)\]", text)[1].strip() for text in page.evaluate(COUNTS)]
    return [int(count) if count.isdecimal() else count for count in found]


def save(page):
    """Save with the keyboard, and wait until JupyterLab has done so."""
    page.keyboard.press("ControlOrMeta+s")
    page.wait_for_selector(f"{TAB}:not(.jp-mod-dirty)", timeout=STARTS * 1000)


# --------------------------------------------------------------------------------- the sliders
# Waits for one press of a key on a slider and for the new picture that answers it; gives the
# milliseconds between. The picture is there when it is decoded and the next frame is drawn.
ANSWER = """handle => {
  const area = handle.closest('.jp-Cell-outputArea');
  const before = area.querySelector('img').src;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  window.sliderAnswer = new Promise(resolve => {
    let pressed;
    handle.addEventListener('keydown', () => { pressed = performance.now(); },
      { capture: true, once: true });
    const observer = new MutationObserver(async () => {
      const image = area.querySelector('img');
      if (!image || !image.src || image.src === before) return;
      observer.disconnect();
      await image.decode();
      await frame();
      resolve(performance.now() - pressed);
    });
    observer.observe(area, { subtree: true, childList: true, attributeFilter: ['src'] });
  });
}"""

AT_END = """handle => {
  const own = handle.getBoundingClientRect();
  const track = handle.closest('.noUi-base').getBoundingClientRect();
  return Math.abs((own.left + own.right) / 2 - track.right) < 1;
}"""


def move_slider(page, handle):
    """Press an arrow key on a slider; return the milliseconds until the new picture is there.

    It goes to the right, and at the slider's end to the left.
    """
    handle.evaluate(ANSWER)
    handle.press("ArrowLeft" if handle.evaluate(AT_END) else "ArrowRight")
    return page.evaluate("window.sliderAnswer")
