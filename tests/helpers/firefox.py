"""A stock Firefox, spoken to by WebDriver BiDi (w3c.github.io/webdriver-bidi), since Playwright drives only its own.

A `Firefox` is one page, with as much of what a Playwright page has as the tests need, under the same names.
"""

import json
import os
import shutil
import subprocess
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import websocket

SECONDS = 120  # so long may anything take: two busy cores are slow
QUIET = {  # nothing of its own that goes to the network, and no page of its own
    "app.normandy.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}
KEYS = {"Enter": "\ue006", "Tab": "\ue004", "Shift": "\ue008", "ArrowRight": "\ue014", "Space": " ", "End": "\ue010"}


def firefox():
    """The path of the Firefox that FIREFOX names, or of one that is on the PATH; None if there is none."""
    return os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, ["firefox-esr", "firefox"])), None)


class Firefox:
    """A page in a Firefox of its own; `problems` is what it complained about, `requests` what it asked for.

    As a context manager: the browser ends with the block.
    """

    def __init__(self, path, **preferences):
        self.problems, self.requests, self.number = [], [], 0
        self.keyboard = self
        self.profile = TemporaryDirectory(prefix="kitchen-firefox-", ignore_cleanup_errors=True)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in (QUIET | preferences).items()
        ]
        Path(self.profile.name, "user.js").write_text("".join(lines), encoding="utf-8")
        self.process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", self.profile.name, "--remote-debugging-port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = f"ws://127.0.0.1:{self._port()}/session"
            self.socket = websocket.create_connection(address, timeout=SECONDS, suppress_origin=True)
            self.send("session.new", capabilities={})
            self.send("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
            # A tab of its own: in the first one the focus is with the address, and no key presses a button.
            self.context = self.send("browsingContext.create", type="tab")["context"]
        except BaseException:
            self.close()
            raise

    def _port(self):
        """The port on which it listens, once it has written it down."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError, ValueError):
                return json.loads(Path(self.profile.name, "WebDriverBiDiServer.json").read_text())["ws_port"]
            time.sleep(0.1)
        raise RuntimeError("Firefox did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it, kindly at first."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.profile.cleanup()

    def send(self, method, **parameters):
        """What a command answers. Whatever happened before the answer has been noted by then."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self.socket.recv())
            if heard["type"] == "event":
                self._note(heard["method"], heard["params"])
            elif heard["id"] == self.number:
                if heard["type"] == "error":
                    raise RuntimeError(f"{method}: {heard['message']}")
                return heard["result"]

    def _note(self, event, said):
        if event == "network.beforeRequestSent":
            url = said["request"]["url"]
            self.requests += [] if url.startswith("data:") else [url]
        elif said["level"] == "error":
            self.problems.append(said["text"])

    # --- what a page of Playwright's has as well

    def goto(self, url):
        self.send("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited, as far as JSON knows it."""
        code = f"(async () => JSON.stringify(await ({expression})) ?? 'null')()"
        answer = self.send("script.evaluate", expression=code, target={"context": self.context}, awaitPromise=True)
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_for_timeout(self, milliseconds):
        time.sleep(milliseconds / 1000)

    def set_viewport_size(self, size):
        self.send("browsingContext.setViewport", context=self.context, viewport=size)

    def press(self, keys):
        """A key, or one held while another is pressed: "Shift+Tab"."""
        values = [KEYS.get(key, key) for key in keys.split("+")]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        source = {"type": "key", "id": "keyboard", "actions": down + up}
        self.send("input.performActions", context=self.context, actions=[source])

    def tap(self, x, y):
        """A finger, for a moment at this place of the window."""
        moves = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        finger = {"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": moves}
        self.send("input.performActions", context=self.context, actions=[finger])

    def screenshot(self):
        return b64decode(self.send("browsingContext.captureScreenshot", context=self.context)["data"])

    def printed(self):
        """The page on A4, as the bytes of a PDF; without background graphics, as browsers print."""
        paper = {"width": 21.0, "height": 29.7}
        return b64decode(self.send("browsingContext.print", context=self.context, page=paper)["data"])
