"""The exported pages in Chromium: axe-core finds nothing, nothing comes from elsewhere or sticks out."""

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tiny_course as tiny

from mmdl_course.course import load_course
from mmdl_course.grading.site import SITE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COURSE = load_course()
WIDTHS = (1280, 400)
WEEKS = [f"weeks/{week.folder}.html" for week in COURSE.ready]
LESSON = (
    tiny.LESSON.replace("{{exercise:double}}", "## A part\n\n{{exercise:double}}")
    .replace(
        'slow = "a demonstration"',
        'from mmdl_course import viz\n\nviz.show(viz.flow(highlight="encoder"), alt="The flow of a model.")',
    )
    .replace("{{exercise:double}}", "## A part\n\n{{exercise:double}}")
    .replace("Write `double`.", "Write `double`: $x + x$.\n\n$$\\\\sum_i x_i = 2x$$")
)


class Silent(SimpleHTTPRequestHandler):
    """A server that keeps no log."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def axe():
    """Runs axe-core on a page; what it complains of, in words."""
    reason = "axe-playwright-python is not installed (the extra 'browser')"
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason)

    def complaints(page):
        found = module.Axe().run(page).response["violations"]
        return [f"{item['id']}: {node['html'][:120]}" for item in found for node in item["nodes"]]

    return complaints


def serve(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The address of a tiny course's site, made for this test."""
    for name in ("sphinx", "myst_nb", "pydata_sphinx_theme"):
        pytest.importorskip(name, reason="the extra 'site' is not installed: make site")
    root = tiny.make_course(tmp_path_factory.mktemp("course"), lesson=LESSON)
    command = [sys.executable, "-m", "mmdl_course.cli", "site"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    server = serve(root / SITE)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def whole():
    """The address of the course's own site, as `make site` left it."""
    if not (COURSE.root / SITE / "index.html").is_file():
        pytest.skip(f"there is no {SITE}: make site")
    server = serve(COURSE.root / SITE)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def look(browser, axe, address, path, width):
    """Open a page; everything that is wrong with it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(120_000)
    wrong = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:"))
            else wrong.append(f"loaded from elsewhere: {request.url}")
        ),
    )
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.goto(f"{address}/{path}")
    page.wait_for_load_state("networkidle")
    sticking_out = page.evaluate("document.documentElement.scrollWidth") - width
    if sticking_out > 0:
        wrong.append(f"{sticking_out} pixels wider than the screen")
    wrong += axe(page)
    context.close()
    return wrong


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["index.html", "weeks/week01_tiny.html", "search.html?q=twice"])
def test_a_small_site_has_nothing_wrong(browser, axe, small, path, width):
    assert look(browser, axe, small, path, width) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["index.html", "search.html?q=manifold", *WEEKS])
def test_the_courses_site_has_nothing_wrong(browser, axe, whole, path, width):
    assert look(browser, axe, whole, path, width) == []


def test_the_search_finds_a_week(browser, small):
    page = browser.new_page()
    page.goto(f"{small}/search.html?q=nudge")
    page.wait_for_selector("#search-results li a", timeout=60_000)
    assert "week01_tiny.html" in page.get_attribute("#search-results li a", "href")
    page.close()


def test_axe_would_complain(browser, axe, small):
    page = browser.new_page()
    page.goto(f"{small}/weeks/week01_tiny.html")
    spoilt = (
        '<img src="x"><h6>too deep</h6><p style="color: #ccc">too pale</p><table><tr><th></th></tr></table>'
    )
    page.evaluate(f"document.querySelector('article').insertAdjacentHTML('beforeend', '{spoilt}')")
    found = {complaint.partition(":")[0] for complaint in axe(page)}
    assert {"image-alt", "heading-order", "color-contrast"} <= found
    page.close()
