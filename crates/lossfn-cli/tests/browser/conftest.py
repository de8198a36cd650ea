"""`lossfn explore` in a headless Chromium.

LOSSFN_PROGRAM is the program (else the newest that was built here), LOSSFN_CHROMIUM the browser.
With `--pictures` the pictures of docs/images are taken anew.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[4]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def until(page, expression):
    """Waits for JavaScript to be true. (The page's own policy forbids Playwright's way.)"""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {expression}")


def settled(page):
    """Waits until the last question is answered, and the address says what is shown."""
    page.wait_for_selector('.views[aria-busy="false"]')
    page.wait_for_timeout(250)


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="take the pictures of docs/images anew")


@pytest.fixture(scope="session")
def program():
    named = os.environ.get("LOSSFN_PROGRAM")
    if named:
        return pathlib.Path(named)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [path for kind in ("release", "debug") if (path := target / kind / "lossfn").exists()]
    if not built:
        pytest.fail("build the program first: cargo build --release -p lossfn-cli")
    return max(built, key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="session")
def is_release(program):
    """Whether times mean anything."""
    return "release" in program.parts


@pytest.fixture
def is_followed(is_release, record_property):
    """Holds the milliseconds from a movement to the new picture to what feels immediate."""

    def check(what, took):
        median, worst = statistics.median(took), max(took)
        record_property("median_ms", median)
        print(f"\n{what} is followed after {median:.1f} ms (median), {worst:.1f} ms (longest)")
        if is_release:
            assert median < 50

    return check


@pytest.fixture(scope="session")
def lossfn(program):
    """Runs the program; its JSON."""

    def run(*arguments):
        command = [program, *map(str, arguments), "--format", "json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return run


@pytest.fixture(scope="session")
def server(program):
    """The address of a running server."""
    command = [program, "explore", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        yield running.stdout.readline().strip()
        running.terminate()
        assert running.wait(20) == 0


@pytest.fixture(scope="session")
def browser():
    executable = os.environ.get("LOSSFN_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser, server):
    """Opens the page at a fragment; whatever it complains of fails the test."""
    contexts, complaints = [], []

    def visit(fragment="", width=1280, height=900, dark=False, touch=False):
        context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=touch,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)

        def complain(message):
            # An answer that is a refusal is logged by the browser, and shown by the page.
            if message.type == "error" and not re.search(r"status of 4\d\d", message.text):
                complaints.append(message.text)

        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith((server, "blob:", "data:"))
                or complaints.append(f"asks for {request.url}"))
        page.goto(server + fragment)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture(scope="session")
def data():
    return ROOT / "examples" / "data"
