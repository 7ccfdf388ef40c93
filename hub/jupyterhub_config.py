"""A JupyterHub for the course on one Linux machine, in which each student has an account.

    .venv/bin/jupyterhub -f hub/jupyterhub_config.py

as root, in the course's folder. README.md beside this file is the recipe; what you may want to
change is marked with "Choose".
"""

import os
import shutil
import sys
from pathlib import Path

c = get_config()  # noqa: F821

HUB = Path(__file__).resolve().parent
COURSE = HUB.parent

# -- Where it answers --------------------------------------------------------------------------
# Choose: the class reaches it when the address is the machine's, and then it needs a certificate,
# since students send passwords.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
# c.JupyterHub.bind_url = "https://:443"
# c.JupyterHub.ssl_cert = "/etc/letsencrypt/live/hub.example.org/fullchain.pem"
# c.JupyterHub.ssl_key = "/etc/letsencrypt/live/hub.example.org/privkey.pem"

# The proxy that `npm install --prefix hub` brings, or one on the PATH.
own = HUB / "node_modules" / ".bin" / "configurable-http-proxy"
c.ConfigurableHTTPProxy.command = [str(own) if own.exists() else own.name]
if not own.exists() and shutil.which(own.name) is None:
    sys.exit("There is no proxy: type `npm install --prefix hub` in the course's folder.")

# What the hub remembers (none of the students' work), readable for root alone.
state = Path(os.environ.get("COURSE_HUB_STATE", COURSE / "build" / "hub"))
state.mkdir(parents=True, exist_ok=True, mode=0o700)
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")

# -- Who may log in ----------------------------------------------------------------------------
# Choose: accounts of this machine (PAM), of which those in the group "course" may come in.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"course"}
# c.Authenticator.admin_users = {"you"}  # who may see and stop everybody's server, at /hub/admin
# Or with the school's login (pip install oauthenticator), whose names must be accounts here:
# c.JupyterHub.authenticator_class = "generic-oauth"  # also "google", "github", "gitlab", ...
# c.LocalGenericOAuthenticator...  see https://oauthenticator.readthedocs.io

# -- What each gets ----------------------------------------------------------------------------
sys.path.insert(0, str(COURSE))
from tools.lab import write_lab_settings  # noqa: E402

write_lab_settings()
c.Spawner.cmd = [sys.executable, str(HUB / "start.py")]
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "COURSE_PROCESSES": "300"}
c.Spawner.mem_limit = "2G"
# A class that begins all at once takes its time.
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.JupyterHub.concurrent_spawn_limit = 40
# Choose: as it stands, start.py limits the memory of each process of a student, and the system
# shares the processors. Where systemd runs, it can limit all processes of a student together
# (pip install jupyterhub-systemdspawner==1.0.2):
# c.JupyterHub.spawner_class = "systemd"
# c.Spawner.cpu_limit = 1.0
# c.SystemdSpawner.isolate_tmp = True

# -- What nobody uses is stopped ----------------------------------------------------------------
# Choose: after how many seconds. Notebooks are on disk; only a kernel's variables are gone.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
