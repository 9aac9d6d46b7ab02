"""A page in headless Chromium, driven through its DevTools protocol."""

from __future__ import annotations

import base64
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

PATIENCE = 60.0  # seconds: of a busy machine
GONE = -32000  # what Chromium answers about a page that is being left
KEY_CODES = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37}
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab. Whatever its console says as an error or warning is kept in `complaints`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network", "Inspector"):
            self._call(f"{domain}.enable")
        self._call("Page.bringToFront")

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
            assert time.monotonic() < deadline, f"{selector} shows {shown!r}, not {wanted!r}; {self._state()}"
            time.sleep(0.05)

    def until_true(self, expression: str) -> None:
        """Return once a JavaScript expression is true; fail with what the console says when it is not in time."""
        deadline = time.monotonic() + PATIENCE
        while self.script(expression) is not True:
            assert time.monotonic() < deadline, f"{expression} stays false; {self._state()}"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press keys one after the other: a character, or a key by its name."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            named = {"key": key, "windowsVirtualKeyCode": KEY_CODES.get(key, 0)}
            self._call("Input.dispatchKeyEvent", type="keyDown", **named, **text)
            self._call("Input.dispatchKeyEvent", type="keyUp", **named)

    def press_at(self, selector: str, *keys: str) -> None:
        """Press keys at an element, once it is there and takes them."""
        element = f"document.querySelector({json.dumps(selector)})"
        focused = f"({element}?.focus(), {element} !== null && document.activeElement === {element})"
        self.until_true(f"document.readyState === 'complete' && {focused}")
        self.press(*keys)

    def wheel(self, selector: str, by: float) -> None:
        """Turn the mouse wheel over the middle of an element."""
        self._call("Input.dispatchMouseEvent", type="mouseWheel", deltaX=0, deltaY=by, **self._middle(selector))

    def click(self, selector: str) -> None:
        """Press the mouse over the middle of an element, as a hand would, also where it is a mark of a chart."""
        at = self._middle(selector)
        self._call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        for what in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=what, button="left", clickCount=1, **at)

    def _state(self) -> str:
        """Where it is, what it shows first, and what it complained of."""
        return f"{self.script('[location.href, document.body?.innerText.slice(0, 600)]')} {self.complaints}"

    def _middle(self, selector: str) -> dict[str, float]:
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        x, y, width, height = self.script(f"(({{x, y, width, height}}) => [x, y, width, height])({found})")
        return {"x": x + width / 2, "y": y + height / 2}

    def sign_out(self) -> None:
        """Forget every cookie and whatever pages keep, as a new browser."""
        self._call("Network.clearBrowserCookies")
        self.complaints.clear()

    def screen(self, width: int, height: int = 900, theme: str = "light") -> None:
        """A screen of that size, of somebody who likes that theme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": theme}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def language(self, accepted: str) -> None:
        """A browser of somebody who reads that language."""
        self._call("Network.setExtraHTTPHeaders", headers={"Accept-Language": accepted})

    @contextmanager
    def first_runs(self, source: str) -> Iterator[None]:
        """Pages that are opened within run this before anything of their own."""
        added = self._call("Page.addScriptToEvaluateOnNewDocument", source=source)
        try:
            yield
        finally:
            self._call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])

    def scripts(self, *, run: bool) -> None:
        """Whether pages that are opened from now on may run scripts."""
        self._call("Emulation.setScriptExecutionDisabled", value=not run)

    def screenshot(self, path: Path) -> None:
        """What the screen shows, as PNG."""
        self._call("Page.bringToFront")
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                if message.get("error", {}).get("code") == GONE and method == "Runtime.evaluate":
                    return {"result": {}}  # the page was left meanwhile: it shows nothing
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        assert event.get("method") != "Inspector.targetCrashed", "the tab has crashed"
        assert event.get("method") != "Page.javascriptDialogOpening", f"the page asks: {params}"  # and nothing goes on
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(params["entry"]))


class Browser:
    """A browser, and the tabs that are opened in it."""

    def __init__(self, address: str) -> None:
        self._address = address

    @contextmanager
    def tab(self) -> Iterator[Page]:
        """A tab of its own, so that one that hangs harms no other."""
        made = httpx.put(f"{self._address}/json/new?about:blank").json()
        try:
            with connect(made["webSocketDebuggerUrl"], max_size=None) as socket:
                yield Page(socket)
        finally:
            httpx.get(f"{self._address}/json/close/{made['id']}")


@contextmanager
def opened(folder: Path) -> Iterator[Browser]:
    """A browser of its own, whose profile lies in the folder."""
    assert PROGRAM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [PROGRAM, *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    with (folder.parent / "chromium.log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Browser(_address(folder))
    finally:
        browser.terminate()
        browser.wait(10)


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A tab of a browser of its own, whose profile lies in the folder."""
    with opened(folder) as browser, browser.tab() as tab:
        yield tab


def _address(folder: Path) -> str:
    """Where it can be driven, once the browser has written its port down."""
    deadline = time.monotonic() + PATIENCE
    file = folder / "DevToolsActivePort"
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline, "the browser did not start"
        time.sleep(0.05)
    return f"http://127.0.0.1:{file.read_text().split()[0]}"
