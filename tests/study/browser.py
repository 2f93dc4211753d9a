"""A headless Chromium that tests drive through its DevTools pipe: real pointer and keys, no library between.

Messages are JSON that ends in a zero byte, on file descriptors 3 (to the browser) and 4 (from it).
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
    "about:blank",
)  # fmt: skip
WAIT = 60.0
DRAWN = (
    "[...document.querySelectorAll('figure[data-chart]')].map(f => [f.dataset.chart, f.querySelectorAll('svg').length])"
)
"""Each chart of a report with its number of drawings."""
TIP = "document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').textContent"
"""What a report tells of the mark under the pointer or the keyboard."""


def chromium() -> str:
    """The browser's path; empty where there is none. CHROMIUM names one."""
    return os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), "")


class Page:
    """One page of a browser. ``said`` is what it wrote on its console, ``asked`` the addresses that it asked for."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._from, self._kept, self._number, self._session = to, back, b"", 0, ""
        self.said: list[str] = []
        self.asked: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """One command and its answer; events on the way are noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + WAIT
        while b"\0" not in self._kept:
            ready, _, _ = select.select([self._from], [], [], max(until - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            more = os.read(self._from, 1 << 20)
            assert more, "the browser has ended"
            self._kept += more
        line, _, self._kept = self._kept.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Runtime.consoleAPICalled":
                self.said.append(f"{params['type']}: {[one.get('value') for one in params['args']]}")
            case "Runtime.exceptionThrown":
                self.said.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded":
                self.said.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            case "Page.loadEventFired":
                self._loaded = True

    def look(self, *, width: int = 1000, height: int = 900, scheme: str = "light", mobile: bool = False) -> None:
        """The size of the window, and the colours that the reader prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, file: Path) -> None:
        """Shows a file."""
        self._loaded = False
        self.call("Page.navigate", url=file.resolve().as_uri())
        while not self._loaded:
            self._read()

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def point(self, selector: str, *, nth: int = 0, click: bool = False) -> None:
        """Moves the pointer to the middle of an element, and clicks there."""
        box = self.run(
            f"(() => {{ const e = document.querySelectorAll({json.dumps(selector)})[{nth}];"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        where = {"x": box[0], "y": box[1]}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **where)
        if click:
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)

    def press(self, key: str, code: int = 0, text: str = "") -> None:
        """A key."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """A PNG of the page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **self._whole(whole=whole))["data"]
        file.write_bytes(base64.b64decode(data))

    def _whole(self, *, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def pdf(self, file: Path) -> None:
        """The page on paper."""
        file.write_bytes(
            base64.b64decode(self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])
        )


@contextmanager
def browser(path: str) -> Iterator[Page]:
    """A browser with one page, ended with the block."""
    (down, to), (back, up) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(prefix="intarsia-browser-", ignore_cleanup_errors=True) as profile:
        # The shell puts the two pipes where the browser expects them, whatever their numbers are here.
        shell = f'exec "$0" "$@" 3<&{down} 4>&{up}'
        words = ["/bin/bash", "-c", shell, path, f"--user-data-dir={profile}", *FLAGS]
        started = subprocess.Popen(words, pass_fds=(down, up), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down)
        os.close(up)
        try:
            yield Page(to, back)
        finally:
            os.close(to)
            os.close(back)
            started.kill()
            started.wait()


@contextmanager
def opened(page: Page, file: Path) -> Iterator[Page]:
    """A report, just opened; whatever is done with it, nothing may be on the console, or asked for but itself."""
    page.look()
    page.said.clear()
    page.asked.clear()
    page.open(file)
    yield page
    assert page.said == []
    assert {one.partition("#")[0] for one in page.asked} == {file.resolve().as_uri()}
