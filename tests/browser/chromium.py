"""A page in headless Chromium, driven through its DevTools protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE = 20.0  # seconds
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab. Whatever its console says as an error or warning is kept in `complaints`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Go to an address, as a new visit."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=url)

    def script(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What an element shows; empty where there is none, or where it is hidden."""
        found = f"document.querySelector({json.dumps(selector)})"
        return str(self.script(f"{found} && {found}.checkVisibility() ? {found}.innerText : ''") or "")

    def until(self, selector: str, wanted: str) -> None:
        """Return once the element shows the text; fail with what it shows when it does not in time."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in (shown := self.text(selector)):
            assert time.monotonic() < deadline, f"{selector} shows {shown!r}, not {wanted!r}; {self.complaints}"
            time.sleep(0.05)

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(params["entry"]))


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A tab of a browser of its own, whose profile lies in the folder."""
    assert PROGRAM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [PROGRAM, *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    with (folder.parent / "chromium.log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with connect(_address(folder), max_size=None) as socket:
            yield Page(socket)
    finally:
        browser.terminate()
        browser.wait(10)


def _address(folder: Path) -> str:
    """Where the first tab can be driven, once the browser has written its port down."""
    deadline = time.monotonic() + PATIENCE
    file = folder / "DevToolsActivePort"
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline, "the browser did not start"
        time.sleep(0.05)
    tabs = httpx.get(f"http://127.0.0.1:{file.read_text().split()[0]}/json/list").json()
    return str(next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"])
