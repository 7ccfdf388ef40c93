#!/usr/bin/env python3
"""The course's launcher: `python3 course.py lab` opens it, `python3 course.py test` tests it.

On Windows type `py course.py` instead. The first start makes an environment in `.venv` and
installs requirements.txt; the next ones begin at once. Standard library only. This file must
parse on Python 3.6, so that an old Python gets a sentence and no SyntaxError; `tools/` need not.
"""

import argparse
import difflib
import os
import signal
import subprocess
import sys
import time

HERE = os.path.abspath(__file__)
if os.path.islink(HERE):
    HERE = os.path.realpath(HERE)
ROOT = os.path.dirname(HERE)
sys.path.insert(0, ROOT)
try:
    from tools.settings import LAUNCHER, OTHER_CPU
    from utils import SUPPORTED
except ImportError:
    sys.exit("course.py works only in the course's folder, beside tools/ and utils/.")

STOPPED = "Stopped. Nothing is broken: to go on, start the same command again."

# Commands that are handed over to `python -m tools.PLACE` with all their arguments.
WHICH = "Numbers or names of notebooks may follow: 00 01"
HANDED_OVER = {
    "new": (
        "begin a notebook: a skeleton, exercises, a plan",
        'Number, name and question follow: 07 convolutions "How does a network see?"',
    ),
    "refresh": ("execute notebooks and write their outputs, where they changed", WHICH),
    "solved": ("execute copies with every exercise solved, in build/", WHICH),
    "slides": (
        "build slides from notebooks, for any browser, in build/",
        WHICH + "; --core leaves out what is extra, --cut what TEACHING.md says to cut first",
    ),
    "site": ("build the course as pages for any browser, in build/", ""),
    "film": ("make the film that README.md opens with, in docs/", ""),
    "handout": ("build copies with questions, tasks and cues, also to print, in build/", WHICH),
    "grade": (
        "grade a folder of hand-ins: each exercise, each student, the class",
        "The folder follows, and options: --out FOLDER, --checks FILE, --seconds 10, --workers 2",
    ),
    "bench": ("measure how fast training is, in one table", "Options may follow: --rounds 3"),
}
PLACES = {
    "new": "notebooks.new",
    "refresh": "notebooks.refresh",
    "solved": "notebooks.solved",
    "handout": "notebooks.handout",
    "slides": "present.slides",
    "site": "present.site",
    "film": "present.film",
    "grade": "classroom.grade",
    "bench": "bench",
}
# Those among them that numbers of notebooks may follow.
NUMBERED = {name for name, (_, passes_on) in HANDED_OVER.items() if passes_on.startswith(WHICH)}
# Those among them that need what only maintainers install.
WITH_TOOLS = {"slides", "site", "handout"}


# -- The running Python ------------------------------------------------------------------------


def refusal(arguments):
    """Return one sentence if the running Python cannot be used, else None."""
    if sys.version_info[:2] not in SUPPORTED:
        names = ["{}.{}".format(*version) for version in SUPPORTED]
        sentence = "This course runs on Python {} to {}, and this is Python {}: ".format(
            names[0], names[-1], ".".join(str(number) for number in sys.version_info[:3])
        )
        other = supported_python()
        if other:
            mine = [os.path.basename(__file__)] + arguments
            return sentence + "type " + " ".join([other] + [quoted(word) for word in mine])
        return sentence + "install one of them from https://www.python.org/downloads/"
    if sys.maxsize < 2**32:
        return (
            "This is a 32-bit Python, and PyTorch needs a 64-bit one: install it from "
            "https://www.python.org/downloads/"
        )
    return None


def supported_python():
    """Return the command of a supported Python on this computer, None if there is none."""
    for version in reversed(SUPPORTED):
        name = "{}.{}".format(*version)
        command = ["py", "-" + name] if os.name == "nt" else ["python" + name]
        try:
            # A name on the PATH is not enough: a version manager's may lead nowhere.
            with open(os.devnull, "w") as nowhere:
                status = subprocess.call(
                    command + ["-c", "import sys"], stdout=nowhere, stderr=nowhere
                )
        except OSError:
            continue
        if status == 0:
            return " ".join(command)
    return None


def quoted(word):
    """Return a word as it is typed in a shell."""
    return '"{}"'.format(word) if " " in word else word


# -- The commands ------------------------------------------------------------------------------


def lab(options, rest):
    """Set up, lay copies of the notebooks into work/ and open JupyterLab there."""
    from tools.setup import workspace

    if workspace.HUB in os.environ:
        return workspace.copies()  # JupyterLab runs already: a second one could not be reached
    arguments = ["tools.lab"] + how_to_start(options)
    return hand_over(prepared(options), arguments + ["--"] + rest)


def present(options, rest):
    """Set up, lay a presenter's copies into work/live/ and open one as live slides."""
    from tools.setup import workspace

    workspace.find(options.notebook)  # before anything is installed
    arguments = ["tools.present.live_slides"] + how_to_start(options) + [options.notebook]
    return hand_over(prepared(options, with_tools=True), arguments + ["--"] + rest)


def how_to_start(options):
    """Return the arguments that say how JupyterLab is started."""
    arguments = ["--no-browser"] if options.no_browser else []
    if options.port is not None:
        arguments += ["--port", str(options.port)]
    return arguments


def test(options, rest):
    """Set up and run the tests and all notebooks, or those named."""
    settings = {"COURSE_DEVICE": options.device} if options.device else {}
    if options.other_cpu:
        settings.update(OTHER_CPU)
    level = ["--full"] if options.full else []
    # What computes nothing is the same on each processor.
    chosen = ["-m", "computes"] if options.other_cpu else []
    return hand_over(prepared(options), ["pytest"] + level + chosen + rest, settings)


def check(options, rest):
    """Say what is there and what must be fixed; install nothing."""
    from tools.setup import check as findings

    complete = findings.report(here=options.here)
    if not complete:
        return 1
    return hand_over(findings.python_and_variables(here=options.here), ["utils.machine"])


def pack(options, rest):
    """Set up and make a package. --torch is about what is in that, and leaves .venv as it is."""
    from tools.setup import environment

    build = ["--torch", options.torch] if options.torch else []
    prepared = environment.prepare(here=options.here, with_tools=True)
    return hand_over(prepared, ["tools.pack"] + build + rest)


def copies(options, rest):
    """Lay the student's copies, and say where they are."""
    from tools.setup import workspace

    return workspace.copies()


def reset(options, rest):
    """Give fresh copies of notebooks, with the student's own backed up."""
    from tools.setup import workspace
    from utils.folders import work_folder

    return workspace.reset(options.notebooks, work_folder())


def progress(options, rest):
    """Say which exercises are right, wrong and open, notebook by notebook."""
    from tools.classroom import standing

    return standing.progress()


def hand_in(options, rest):
    """Write one file to upload, with the student's own notebooks."""
    from tools.classroom import hand_in as handing

    return handing.hand_in(options.to)


def lint(options, rest):
    """Set up and run ruff: style and format of all code."""
    environment = prepared(options, with_tools=True)
    style = hand_over(environment, ["ruff", "check", "."])
    layout = hand_over(environment, ["ruff", "format", "--check", "."])
    return style or layout


def tool(options, rest):
    """Set up and run `python -m tools.PLACE`."""
    from tools.setup import workspace

    if options.command in NUMBERED:
        for word in rest:
            if not word.startswith("-"):
                workspace.find(word)  # before anything is installed
    environment = prepared(options, with_tools=options.command in WITH_TOOLS)
    return hand_over(environment, ["tools." + PLACES[options.command]] + rest)


def prepared(options, with_tools=False):
    """Return (Python's path, variables) of a complete environment."""
    from tools.setup import environment

    return environment.prepare(torch=options.torch, here=options.here, with_tools=with_tools)


def hand_over(environment, arguments, settings=None):
    """Run a module, with its arguments, in the environment. Return its exit status.

    A keyboard interrupt is the program's to answer (JupyterLab asks whether to stop); here it is
    only noted. Raises KeyboardInterrupt if it ended the program.
    """
    python, variables = environment
    variables = dict(variables, **(settings or {}))
    signals = []

    def note(number, frame):
        signals.append((number, time.monotonic()))

    # A handler, not SIG_IGN: a program started with SIG_IGN would ignore the keyboard too.
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        command = [str(python), "-m", "tools.run"] + arguments
        process = subprocess.Popen(command, cwd=ROOT, env=variables)
        wait_for(process, signals)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if process.returncode != 0 and any(number == signal.SIGINT for number, _ in signals):
        raise KeyboardInterrupt
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def wait_for(process, signals):
    """Wait for a process to end. A signal that reached only this one is passed on, once.

    The keyboard reaches both, and a program may take a second signal for more than one.
    """
    passed_on = None
    while process.poll() is None:
        try:
            process.wait(timeout=1)
            return
        except subprocess.TimeoutExpired:
            pass
        number, moment = signals[-1] if signals else (None, float("inf"))
        waited = time.monotonic() - moment
        terminal = sys.stdin is not None and sys.stdin.isatty()
        if passed_on == signal.SIGTERM and waited > 20:
            process.kill()
        elif waited > 2 and number != passed_on and os.name != "nt":
            if number == signal.SIGTERM or not terminal:
                process.send_signal(number)
                passed_on = number


# -- The command line --------------------------------------------------------------------------


def make_parser():
    """Return (the parser of the command line, the names of the commands)."""
    parser = argparse.ArgumentParser(
        prog=LAUNCHER, allow_abbrev=False, description="The launcher of the course."
    )
    commands = parser.add_subparsers(
        title="commands (each tells more with --help)", dest="command", metavar="COMMAND"
    )

    def add(name, function, summary, sets_up=True, passes_on="", has_work=False):
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=passes_on,
            allow_abbrev=False,
        )
        command.set_defaults(run=function, passes_on=bool(passes_on))
        if has_work:
            command.add_argument(
                "--work",
                metavar="FOLDER",
                help="where your copies lie (default: what COURSE_WORK says, else work/)",
            )
        if sets_up:
            command.add_argument(
                "--torch",
                choices=["cpu", "default"],
                help="on Linux, cpu: the small build of PyTorch, without CUDA",
            )
            command.add_argument(
                "--here",
                action="store_true",
                help="use the running Python as it is, and install nothing",
            )
        return command

    def add_with_lab(name, function, summary):
        to_lab = "What follows -- is passed on to JupyterLab."
        command = add(name, function, summary, passes_on=to_lab, has_work=True)
        command.add_argument("--no-browser", action="store_true", help="only say the address")
        command.add_argument("--port", type=port, help="the port of the address, if it is free")
        return command

    def add_with_copies(name, function, summary):
        return add(name, function, summary, sets_up=False, has_work=True)

    add_with_lab("lab", lab, "set up (once) and open the course in JupyterLab")
    add_with_copies("copies", copies, "lay your copies of the notebooks, and open nothing")

    command = add(
        "test",
        test,
        "set up (once), run all notebooks and the quick tests",
        passes_on="Files, folders and options of pytest may follow, for example: tests -k fit",
    )
    command.add_argument("--full", action="store_true", help="run the slow tests, too")
    command.add_argument("--device", choices=["cpu", "cuda", "mps"], help="where tensors live")
    command.add_argument(
        "--other-cpu",
        action="store_true",
        help="run what computes, as an older processor would compute it",
    )

    command = add("check", check, "say what is missing and how to fix it", sets_up=False)
    command.add_argument("--here", action="store_true", help="look at the running Python")

    command = add_with_copies("reset", reset, "give a fresh copy of a notebook, yours is backed up")
    command.add_argument("notebooks", nargs="+", metavar="NN", help="a number or a name: 01")

    add_with_copies("progress", progress, "say what is right, wrong and open, by notebook")
    command = add_with_copies("hand-in", hand_in, "write one file to upload: your notebooks")
    command.add_argument("--to", metavar="FOLDER", help="where it goes (default: beside them)")

    command = add_with_lab("present", present, "open a notebook as slides whose cells run")
    command.add_argument(
        "notebook", nargs="?", default="00", metavar="NN", help="a number or a name: 01"
    )

    for name, (summary, passes_on) in HANDED_OVER.items():
        add(name, tool, summary, passes_on=passes_on)
    add(
        "pack",
        pack,
        "put the course and its packages in a folder, for use offline",
        passes_on="Options may follow: --platform linux linux-arm mac windows (one or more; "
        "default: this one), --python 3.11 3.12 (one or more; default: this one), --tools (what "
        "maintainers need too). On Linux, --torch default brings the build with CUDA.",
    )
    add("lint", lint, "check the style of all code (ruff)")
    return parser, list(commands.choices)


def port(word):
    """Return a word of the command line as the number of a port; 0 means any that is free."""
    if not word.isdecimal() or int(word) > 65535:
        raise argparse.ArgumentTypeError(
            "{} is not the number of a port: take one from 1024 to 65535".format(word)
        )
    return int(word)


def no_command(word, names):
    """Return the sentence for a word that is no command, with the one that may be meant."""
    close = difflib.get_close_matches(word, names, 1)
    meant = "did you mean {}? ".format(close[0]) if close else ""
    return "there is no command {}: {}`{}` lists all".format(word, meant, LAUNCHER)


def not_known(command, words):
    """Return the sentence for words that a command cannot use."""
    from tools.setup import console, workspace

    sentence = "{} does not know {}".format(command, " ".join(words))
    if command == "lab":
        try:
            name = workspace.find(words[0])[: -len(".ipynb")]
        except console.CourseError:
            return sentence
        return (
            "`lab` opens all notebooks: choose {} in the list on the left "
            "(`{} reset {}` gives a fresh one, and keeps yours)".format(name, LAUNCHER, name[:2])
        )
    return sentence


def run(arguments):
    """Run one command. Return the exit status."""
    parser, names = make_parser()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in names:
        parser.error(no_command(arguments[0], names))
    # What follows -- is for the program that is started. Cut here: Pythons treat it differently.
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options, unknown = parser.parse_known_args(arguments[:cut])
    if options.command is None:
        parser.print_help()
        return 0
    rest = arguments[cut + 1 :]
    if unknown and (options.command in ("lab", "present") or not options.passes_on):
        parser.error(not_known(options.command, unknown))
    work = getattr(options, "work", None) or os.environ.get("COURSE_WORK")
    if work:
        # Absolute, since programs that are handed over to start in another folder.
        os.environ["COURSE_WORK"] = os.path.abspath(os.path.expanduser(work))
    return options.run(options, unknown + rest)


def main():
    """Return the exit status of the command line."""
    problem = refusal(sys.argv[1:])
    if problem:
        print(problem, file=sys.stderr)
        return 1
    from tools.setup import console

    return console.guarded(run, sys.argv[1:], stopped=STOPPED)


if __name__ == "__main__":
    sys.exit(main())
