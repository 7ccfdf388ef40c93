"""The same hub for a trial, without root and without accounts: any name, one password.

    COURSE_TRIAL=/tmp/trial .venv/bin/jupyterhub -f hub/trial_config.py

All servers run as you, with homes in the folder that COURSE_TRIAL names: for trying, for the tests
and for measuring, never for a class. The password is printed at the start.
"""

import os
import secrets
import socket
from pathlib import Path

c = get_config()  # noqa: F821

folder = Path(os.environ["COURSE_TRIAL"]).resolve()
os.environ["COURSE_HUB_STATE"] = str(folder)
load_subconfig("jupyterhub_config.py", path=str(Path(__file__).parent))  # noqa: F821


def free_port():
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ.get('COURSE_TRIAL_PORT', 8000)}"
c.JupyterHub.hub_port = free_port()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{free_port()}"

c.JupyterHub.authenticator_class = "shared-password"
# Not a fixed one: whoever else is on this machine could run programs as you.
password = os.environ.get("COURSE_TRIAL_PASSWORD") or secrets.token_urlsafe(9)
print(f"The password of this trial: {password}", flush=True)
c.SharedPasswordAuthenticator.user_password = password
c.SharedPasswordAuthenticator.allow_all = True

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "homes" / "{username}")
if os.getuid() == 0:
    c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}  # no limit on processes: all of yours would count

# With a token of its own, hub/measure.py acts for the students.
if "COURSE_TRIAL_TOKEN" in os.environ:
    c.JupyterHub.services += [{"name": "measure", "api_token": os.environ["COURSE_TRIAL_TOKEN"]}]
    scopes = ["admin:users", "admin:servers", "access:servers"]
    c.JupyterHub.load_roles += [{"name": "measure", "scopes": scopes, "services": ["measure"]}]
