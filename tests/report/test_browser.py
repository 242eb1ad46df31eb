"""The page in a real browser: it fetches nothing, complains of nothing, and fits a desk and a phone."""

import shutil

import pytest

from oddgan.report import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SECTIONS = ("summary", "scores", "items", "training", "settings")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("screen", [(1280, "light"), (390, "dark")], ids=["desk", "phone"])
@pytest.mark.parametrize("shown", ["image_run", "table_run", "series_run", "table_run, interactive"])
def test_page_in_a_browser(request, browser, tmp_path, shown, screen):
    name, interactive, (width, scheme) = shown.partition(",")[0], "interactive" in shown, screen
    if interactive:
        pytest.importorskip("plotly")
    file = render(request.getfixturevalue(name), out=tmp_path / "report.html", interactive=interactive)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests, complaints = [], []
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for section in SECTIONS:
        assert page.locator(f"#{section}").is_visible()
    assert page.locator("article").count() == 18
    assert page.locator(".plot .js-plotly-plot, .plot.js-plotly-plot").count() == (
        page.locator(".plot").count() if interactive else 0
    )
    for picture in page.locator("img").all():
        assert picture.evaluate("image => image.naturalWidth") > 0
    page.close()
