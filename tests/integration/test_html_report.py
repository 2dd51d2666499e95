"""The HTML report in a real browser: it draws, zooms, sorts and changes its theme, and nothing hostile runs."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from detectors.types import Answer, Assessment, Explanation, Fit, Forecast, Shape, Trend, Verdict
from leakwatch.tell.html import render
from leakwatch.trace import Target, Trace

MIB = 2.0**20
HOSTILE = (
    "</script><script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1><svg onload=hacked=1>\x1b[31m"
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
]
PICTURE = """
const canvas = document.querySelectorAll("canvas")[arguments[0]];
const blank = Object.assign(document.createElement("canvas"), {width: canvas.width, height: canvas.height});
return canvas.toDataURL() === blank.toDataURL() ? "" : canvas.toDataURL();
"""
SHIFT = """
const done = arguments[arguments.length - 1];
let shift = 0;
const observer = new PerformanceObserver(list => { for (const entry of list.getEntries()) shift += entry.value; });
observer.observe({type: "layout-shift", buffered: true});
requestAnimationFrame(() => setTimeout(() => done(shift), 0));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if chromium is None or driver is None:
        pytest.skip("needs chromium and its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as chrome:
        yield chrome


@pytest.fixture
def show(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Callable[..., webdriver.Chrome]]:
    """Opens a report; whatever the test did, the browser's console must have stayed silent."""

    def open_report(*analyses: tuple[Trace, Assessment], dark: bool = False, width: int = 1280) -> webdriver.Chrome:
        path = tmp_path / "report.html"
        path.write_text(render(analyses), encoding="utf-8")
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        phone = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(path.as_uri())
        return browser

    yield open_report
    assert browser.get_log("browser") == []
    browser.execute_script("localStorage.clear()")


def analysis(source: str, answer: Answer = Answer.LEAK, slope: float = 0.01 * MIB) -> tuple[Trace, Assessment]:
    """4,000 samples of memory that grows from its middle on, with requests and threads beside it."""
    n = np.arange(4_000)
    time = 1_790_000_000.0 + 15.0 * n
    leak = np.maximum(0, n - 2_000) * 15 * slope
    level = 500 * MIB + leak + 5 * MIB * np.sin(n / 100)
    leaks = answer is Answer.LEAK
    verdict = Verdict(
        answer,
        Shape.LINEAR if leaks else Shape.FLAT,
        0.95,
        "anon_bytes",
        Trend(slope, slope * 0.9, slope * 1.1, len(n)) if leaks else None,
        float(time[2_000]) if leaks else None,
        (float(time[100]),),
        (f"because {source}",),
    )
    columns = {
        "anon_bytes": level,
        "file_bytes": np.full(len(n), 9 * MIB),
        f"requests_total:{source}": n * 15.0,
        "threads": 64.0 + n % 3,
    }
    bins = n[::10]
    fit = Fit(time[bins], level[bins], (500 * MIB + leak)[bins], leak[bins] if leaks else np.zeros(len(bins)))
    forecast = Forecast(4e9 / slope, 3e9 / slope, 5e9 / slope) if leaks else None
    judged = Assessment(verdict, forecast, None, None, (Explanation("line", True, 1.0, 0.0),), fit)
    return Trace(Target(source), time, columns, 4096 * MIB), judged


def named(browser: webdriver.Chrome, css: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, css).text


def column(browser: webdriver.Chrome, position: int) -> list[str]:
    return [c.text for c in browser.find_elements(By.CSS_SELECTOR, f"#summary tbody tr > :nth-child({position})")]


def press(browser: webdriver.Chrome, words: str) -> None:
    browser.find_element(By.XPATH, f"//button[normalize-space()='{words}']").click()


def drawn(browser: webdriver.Chrome, before: str = "", canvas: int = 0) -> str:
    """Waits until the canvas shows something other than nothing and than before, and returns what."""
    return WebDriverWait(browser, 10).until(
        lambda b: (now := b.execute_script(PICTURE, canvas)) not in ("", before) and now
    )


def test_every_chart_is_drawn_and_nothing_is_fetched(show: Callable[..., webdriver.Chrome]) -> None:
    """One trace opens with all its charts filled, without a request to anywhere and without shifting the page."""
    browser = show(analysis("trace.csv"))
    charts = browser.find_elements(By.CSS_SELECTOR, "figure.chart canvas")
    assert len(charts) == 5
    for number in range(5):
        drawn(browser, canvas=number)
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.execute_async_script(SHIFT) < 0.01


def test_zoom_by_button_drag_and_keyboard(show: Callable[..., webdriver.Chrome]) -> None:
    """Buttons, a drag and keys zoom every chart of the trace; a double click and 0 show the whole again."""
    browser = show(analysis("trace.csv"))
    window, plot = ".tools .window", browser.find_element(By.CSS_SELECTOR, ".plot")
    whole, others = drawn(browser), drawn(browser, canvas=4)
    assert named(browser, window) == ""

    press(browser, "Zoom in")
    zoomed = drawn(browser, whole)
    drawn(browser, others, 4)
    assert named(browser, window) == "2026-09-21 18:23:16 to 2026-09-22 02:43:09"
    press(browser, "Whole trace")
    assert drawn(browser, zoomed) == whole

    over = browser.find_element(By.CSS_SELECTOR, ".u-over")
    ActionChains(browser).move_to_element(over).click_and_hold().move_by_offset(200, 0).release().perform()
    dragged = drawn(browser, whole)
    assert " to 2026-09-2" in named(browser, window)
    ActionChains(browser).double_click(over).perform()
    drawn(browser, dragged)
    assert named(browser, window) == ""

    plot.send_keys("+")
    assert " to 2026-09-2" in named(browser, window)
    plot.send_keys("0")
    assert named(browser, window) == ""


def test_the_cursor_reads_values_off_in_words(show: Callable[..., webdriver.Chrome]) -> None:
    """Arrow keys move the cursor: its time and each line's value stand in the table and are spoken."""
    browser = show(analysis("trace.csv"))
    drawn(browser)
    browser.find_element(By.CSS_SELECTOR, ".plot").send_keys(Keys.ARROW_RIGHT)
    assert named(browser, ".cursor-time").startswith("2026-09-21 22:")
    anon = float(named(browser, ".lines tbody .cursor"))
    assert 490 < anon < 520
    assert f"anon {anon:g}" in browser.find_element(By.CSS_SELECTOR, ".spoken").get_attribute("textContent")


def test_lines_and_the_limit_can_be_switched(show: Callable[..., webdriver.Chrome]) -> None:
    """A line's name hides and shows it; the limit comes into view on demand."""
    browser = show(analysis("trace.csv"))
    before = drawn(browser)
    line = browser.find_element(By.CSS_SELECTOR, "button.line")
    line.click()
    hidden = drawn(browser, before)
    assert line.get_attribute("aria-pressed") == "false"
    press(browser, "Limit in view")
    drawn(browser, hidden)
    assert browser.find_element(By.CSS_SELECTOR, "[data-zoom=limit]").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("dark", [False, True])
def test_the_theme_follows_the_system_until_the_reader_chooses(
    show: Callable[..., webdriver.Chrome], dark: bool
) -> None:
    """Light or dark as the system says; the button turns page and charts over, and the choice outlives a reload."""
    browser = show(analysis("trace.csv"), dark=dark)
    before = drawn(browser)
    paper = "return getComputedStyle(document.body).backgroundColor"
    papers = ["rgb(255, 255, 255)", "rgb(18, 22, 27)"]
    assert browser.execute_script(paper) == papers[dark]
    press(browser, "Dark")
    drawn(browser, before)
    assert browser.execute_script(paper) == papers[not dark]
    browser.refresh()
    assert browser.execute_script(paper) == papers[not dark]


def test_the_table_sorts_and_opens_traces(show: Callable[..., webdriver.Chrome]) -> None:
    """Most urgent first; each heading sorts both ways, by number where it is one, the unknown last; a click opens."""
    browser = show(
        analysis("b.csv", slope=0.5 * MIB / 1024),
        analysis("a10.csv", Answer.NO_LEAK),
        analysis("a9.csv", slope=0.02 * MIB),
        analysis("c.csv", Answer.UNDECIDED),
    )
    assert column(browser, 2) == ["a9.csv", "b.csv", "c.csv", "a10.csv"]
    press(browser, "Trace")
    assert column(browser, 2) == ["a9.csv", "a10.csv", "b.csv", "c.csv"]
    press(browser, "Trace")
    assert column(browser, 2) == ["c.csv", "b.csv", "a10.csv", "a9.csv"]
    press(browser, "Growth")
    assert column(browser, 4)[:2] == ["1.76 MiB/h", "72 MiB/h"]
    press(browser, "Growth")
    assert column(browser, 4) == ["72 MiB/h", "1.76 MiB/h", "–", "–"]
    headings = browser.find_elements(By.CSS_SELECTOR, "#summary th[aria-sort]")
    assert [(h.text, h.get_attribute("aria-sort")) for h in headings] == [("Growth", "descending")]

    assert browser.find_elements(By.CSS_SELECTOR, "canvas") == []
    browser.find_element(By.LINK_TEXT, "c.csv").click()
    WebDriverWait(browser, 10).until(lambda b: b.find_elements(By.CSS_SELECTOR, "#trace-3 canvas"))
    drawn(browser)
    shown = [d.get_attribute("id") for d in browser.find_elements(By.CSS_SELECTOR, "details") if d.is_displayed()]
    assert shown == ["trace-3"]


def test_hostile_names_do_nothing(show: Callable[..., webdriver.Chrome]) -> None:
    """Markup in the name of a file, a model or a reason stays text in the table, the section and the charts."""
    browser = show(analysis(HOSTILE), analysis("tame.csv"))
    press(browser, "Open all traces")
    WebDriverWait(browser, 10).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, "canvas")) == 10)
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.images.length + document.scripts.length") == 3
    assert "<img src=x onerror=window.hacked=1>" in named(browser, "#summary")


def test_the_policy_stops_what_is_not_ours(browser: webdriver.Chrome, show: Callable[..., webdriver.Chrome]) -> None:
    """A script or style that gets into the page all the same is refused by the browser."""
    show(analysis("trace.csv"))
    browser.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s);"
    )
    assert browser.execute_script("return window.hacked") is None
    assert "Content Security Policy" in browser.get_log("browser")[0]["message"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_phone_needs_no_sideways_scroll(show: Callable[..., webdriver.Chrome], count: int) -> None:
    """At 390 pixels the page is as wide as the screen."""
    browser = show(*(analysis(f"pods/{'serving' * 12}-{i}.csv.gz") for i in range(count)), width=390)
    if count > 1:
        press(browser, "Open all traces")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390


def test_it_prints_light_and_returns(show: Callable[..., webdriver.Chrome]) -> None:
    """Printing from the dark theme makes a document and leaves the dark theme as it was."""
    browser = show(analysis("trace.csv"), dark=True)
    drawn(browser)
    assert len(browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000
    assert browser.execute_script("return document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("start", [0.0, 1e15])
def test_times_that_are_no_dates_are_drawn_in_seconds(show: Callable[..., webdriver.Chrome], start: float) -> None:
    """Elapsed times, and times beyond any calendar, have charts too."""
    verdict = Verdict(Answer.UNDECIDED, Shape.TOO_SHORT, 0.0, "anon_bytes", None, None, (), ())
    trace = Trace(Target("psrecord.log"), start + np.arange(30.0), {"anon_bytes": np.arange(30.0) * MIB})
    browser = show((trace, Assessment(verdict)))
    drawn(browser)
    press(browser, "Zoom in")
    assert named(browser, ".tools .window").endswith(" s")


def test_a_trace_of_one_sample_has_charts(show: Callable[..., webdriver.Chrome]) -> None:
    """One point, a level of zero and a column that nothing is known of are drawn without an error."""
    verdict = Verdict(Answer.UNDECIDED, Shape.TOO_SHORT, 0.0, "anon_bytes", None, None, (), ())
    columns = {"anon_bytes": np.zeros(1), "file_bytes": np.full(1, np.nan), "threads": np.full(1, 3.0)}
    browser = show((Trace(Target("one.csv"), np.array([1.79e9]), columns), Assessment(verdict)))
    drawn(browser, canvas=1)
