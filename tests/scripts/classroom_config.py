"""The JupyterHub of classroom.py, which says in the environment where things are. Read by JupyterHub, not by Python.

It lets everybody in and starts all servers under one account, so it is fit for this machine only, and for an hour.
"""

import os

c = get_config()  # noqa: F821 (JupyterHub defines it)
folder = os.environ["CLASSROOM_FOLDER"]
public, hub, proxy = os.environ["CLASSROOM_PORTS"].split()

c.JupyterHub.bind_url = f"http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [os.environ["CLASSROOM_PROXY"]]
c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{folder}/cookie_secret"

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{folder}/homes/{{username}}"
c.Spawner.notebook_dir = f"{folder}/homes/{{username}}"  # the environment's own settings may name another
c.Spawner.cmd = [os.environ["CLASSROOM_SERVER"]]
c.Spawner.args = ["--KernelManager.transport=ipc"]  # as INSTRUCTORS.md has it, and why
c.Spawner.args += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
c.Spawner.start_timeout = c.Spawner.http_timeout = 600  # seconds: thirty that start at once wait for each other
c.Spawner.environment = {
    name: os.environ[name] for name in ("CLASSROOM", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR")
}
# Where the kernels' sockets are: the path of one must not be longer than some 100 characters.
c.Spawner.environment["JUPYTER_RUNTIME_DIR"] = lambda spawner: f"{folder}/{spawner.user.name}"

# The one who asks for all the rest: starts servers, and speaks to kernels in the learners' place.
c.JupyterHub.services = [{"name": "teacher", "api_token": os.environ["CLASSROOM_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "teacher",
        "services": ["teacher"],
        "scopes": ["admin:users", "admin:servers", "admin:server_state", "access:servers"],
    }
]
