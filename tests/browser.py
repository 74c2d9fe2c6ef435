"""A headless Chromium without a network, driven by its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""
import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import websocket

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
    # no name resolves, no proxy answers
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9",
    "--remote-debugging-port=0",
)
WIDE, PHONE = (1400, 1000), (390, 844)


def find_chromium():
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else NAMES
    for name in names:
        if shutil.which(name):
            return shutil.which(name)
    raise RuntimeError(
        "The tests of the page need Chromium or Chrome: apt-get install "
        "chromium, or set CHROMIUM to its path."
    )


class Browser:
    """Opens one page; what it logs and asks for is kept.

    Attributes
    ----------
    problems : list of str
        Errors and warnings of the console, and uncaught exceptions.
    asked : list of str
        The addresses that the page wanted from a network.
    answer : str
        What the page gets when it asks the reader by `prompt`.
    """

    def __init__(self, folder, size=WIDE):
        self.problems, self.asked, self.answer = [], [], None
        profile = Path(folder) / "profile"
        profile.mkdir(parents=True)
        self.process = subprocess.Popen(
            [find_chromium(), *FLAGS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            self._connect(profile / "DevToolsActivePort")
            self.resize(size)
        except BaseException:
            self.close()
            raise

    def _connect(self, port_file, patience=60):
        end = time.monotonic() + patience
        while not (port_file.exists() and port_file.read_text().count("\n")):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Chromium did not start.")
            time.sleep(0.05)
        port, path = port_file.read_text().split()
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", suppress_origin=True, timeout=60,
            http_no_proxy="127.0.0.1",
        )
        self._number, self._session, self._events = 0, None, []
        target = self.send("Target.createTarget", url="about:blank")
        self._session = self.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send(
            "Network.emulateNetworkConditions", offline=True, latency=0,
            downloadThroughput=0, uploadThroughput=0,
        )

    def resize(self, size):
        width, height = size
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=width < 600,
        )

    def open(self, page):
        self._events.clear()
        self.send("Page.navigate", url=Path(page).resolve().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._receive()

    def run(self, script):
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def picture(self, path, whole=True):
        """Save a PNG of the page, of all of it or of what is on screen."""
        answer = self.send(
            "Page.captureScreenshot", captureBeyondViewport=whole
        )
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    def send(self, method, **parameters):
        number = self._post(method, parameters)
        while True:
            message = self._receive()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def _post(self, method, parameters):
        self._number += 1
        message = dict(id=self._number, method=method, params=parameters)
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        return self._number

    def _receive(self):
        message = json.loads(self._socket.recv())
        event, what = message.get("method"), message.get("params", {})
        if event is None:
            return message
        self._events.append(event)
        if event == "Runtime.exceptionThrown":
            thrown = what["exceptionDetails"]
            self.problems.append(
                thrown.get("exception", {}).get("description", thrown["text"])
            )
        elif event == "Runtime.consoleAPICalled":
            if what["type"] in ("error", "warning", "assert"):
                self.problems.append(str(what["args"]))
        elif event == "Log.entryAdded":
            if what["entry"]["level"] in ("error", "warning"):
                self.problems.append(what["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            url = what["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:", "about:")):
                self.asked.append(url)
        elif event == "Page.javascriptDialogOpening":
            self._post(
                "Page.handleJavaScriptDialog",
                dict(accept=self.answer is not None,
                     promptText=self.answer or ""),
            )
        return message

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
