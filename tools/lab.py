"""Open the course in JupyterLab: `course.py lab` runs this in the environment.

The first page is the student's own copy of 00. The root is the repository, so that `utils/` can be
read beside the copies, or the folder of the copies, if that is not in the repository.
"""

import argparse
import contextlib
import json
import os
import secrets
import sys
import urllib.parse
import urllib.request
import webbrowser
from pathlib import Path

from tools.settings import ROOT
from tools.setup import workspace
from tools.setup.console import guarded, say

LAB_SETTINGS = {
    # JupyterLab neither asks whether to show news nor looks for updates: the course works offline.
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    # Or each slider says "model not found" when a notebook is opened again.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}


def write_lab_settings():
    """Put LAB_SETTINGS among the defaults of JupyterLab, if this is the course's environment."""
    if os.path.realpath(sys.prefix) != os.path.realpath(ROOT / ".venv"):
        return
    path = Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings = {}
    with contextlib.suppress(OSError, ValueError):
        settings = json.loads(path.read_text(encoding="utf-8"))
    changed = {**settings, **LAB_SETTINGS}
    # A course folder that may only be read still opens, with JupyterLab's own question.
    if changed != settings:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps(changed, indent=1) + "\n"
            workspace.write_whole(path, content.encode("utf-8"))


def running_server(root):
    """Return the description of a JupyterLab that serves this folder and answers, else None."""
    from jupyter_server.serverapp import list_running_servers

    with contextlib.suppress(OSError):
        for server in list_running_servers():
            with contextlib.suppress(OSError, KeyError):
                if os.path.samefile(server["root_dir"], root) and answers(server):
                    return server
    return None


def answers(server):
    """Return whether a server answers: its process may have ended without clearing up."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(server["url"] + "api", timeout=3) as reply:
            return reply.status == 200
    except (OSError, ValueError):
        return False


def address_of(page, server):
    """Return the address of a page, such as "lab/tree/01_tensors.ipynb", on a running server."""
    query = "?" + urllib.parse.urlencode({"token": server["token"]}) if server.get("token") else ""
    return server["url"] + page + query


def start(root, page, options, more=()):
    """Start JupyterLab in a folder and serve until it is stopped.

    Args:
        root: the folder.
        page: what opens first, for example "lab/tree/01_tensors.ipynb".
        options: the command line, as read by `make_parser`.
        more: further options of JupyterLab.
    """
    from jupyterlab.labapp import LabApp

    arguments = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/{page}",
        *more,
        *own_rules(),
    ]
    if options.port is not None:
        arguments.append(f"--ServerApp.port={options.port}")
    if options.no_browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container one is often root; JupyterLab would refuse.
        arguments.append("--allow-root")
    if os.name == "nt" or os.path.isdir("/snap/bin"):
        # JupyterLab hands the browser a file in a hidden folder. A browser from a snap (Ubuntu)
        # may not read it, and to one beside a Python from Microsoft's store it does not exist.
        arguments.append("--ServerApp.use_redirect_file=False")
    # Warnings only: JupyterLab's notes would bury the address. Later options win over these.
    quiet = ["--ServerApp.log_level=WARN", "--LabApp.log_level=WARN"]
    say("JupyterLab starts. To stop it: press Ctrl-C here, twice.")
    LabApp.launch_instance([*quiet, *arguments, *options.rest])


def own_rules():
    """Return options that hold whatever the user's own settings of Jupyter say.

    JupyterLab runs code for whoever reaches it. It serves this machine alone and asks for a token;
    who wants something else says so after --.
    """
    rules = ["--ServerApp.ip=127.0.0.1", "--ServerApp.allow_remote_access=False"]
    if without_token():
        token = secrets.token_hex(24)
        rules.append(f"--IdentityProvider.token={token}")
        say(f"Your settings of Jupyter ask for no token; the course does. It is {token}")
    return rules


def without_token():
    """Return whether the user's settings of Jupyter switch the token off."""
    from jupyter_server.serverapp import ServerApp

    settings = ServerApp()
    settings.load_config_file()
    tokens = (settings.config[name].get("token") for name in ("IdentityProvider", "ServerApp"))
    return "" in tokens or os.environ.get("JUPYTER_TOKEN") == ""


def show(page, server, options):
    """Open a page of a JupyterLab that runs already."""
    address = address_of(page, server)
    say(f"The course is open already: {address}")
    if not options.no_browser:
        webbrowser.open(address)


def make_parser(name, description):
    """Return a parser with the options of how JupyterLab is started."""
    parser = argparse.ArgumentParser(prog=f"python -m tools.{name}", description=description)
    parser.add_argument("--port", type=int)
    parser.add_argument("--no-browser", action="store_true")
    return parser


def main():
    """Lay the copies, then open the server that runs already, or start one."""
    parser = make_parser("lab", __doc__)
    parser.add_argument("rest", nargs="*", help="options of JupyterLab, after --")
    options = parser.parse_args()
    work = workspace.lay_and_say()
    root = ROOT if ROOT in work.parents else work
    inside = (work / workspace.FIRST).relative_to(root).as_posix()
    page = f"lab/tree/{urllib.parse.quote(inside)}"
    write_lab_settings()
    server = running_server(root)
    if server:
        show(page, server, options)
    else:
        start(root, page, options)
        say(f"JupyterLab has stopped. Your notebooks are in {workspace.shown(work)}.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
