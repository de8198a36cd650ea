"""The room of curves, in a browser."""

import re
from urllib.parse import quote

import pytest

from conftest import until


@pytest.fixture
def room(open_page):
    def visit(query="", **how):
        page = open_page(f"#curves{query}", **how)
        page.wait_for_selector("#picture-loss svg")
        page.wait_for_selector("#picture-second svg")
        return page

    return visit


def drawn(page):
    """The pictures are those of the last question."""
    page.wait_for_timeout(300)
    until(page, "document.querySelector('#picture-loss svg')")


# Pixels and numbers of a curve: the longest path of its layer, and the grid's ticks as they are labelled.
POINTS = """([picture, layer]) => {
  const group = document.querySelector(`#picture-${picture} svg .layer-${layer}`);
  return [...group.querySelectorAll('polyline')].flatMap((line) =>
    line.getAttribute('points').trim().split(/\\s+/).map((pair) => pair.split(',').map(Number)));
}"""


def points(page, picture, layer=0):
    """The points of a curve in units of the data: ticks of the axes say which pixel is which number."""
    pixels = page.evaluate(POINTS, [picture, layer])
    texts = page.evaluate(
        """(picture) => [...document.querySelectorAll(`#picture-${picture} svg text`)].map((text) =>
          [text.textContent.trim(), Number(text.getAttribute('x')), Number(text.getAttribute('y')),
           text.getAttribute('text-anchor')])""",
        picture,
    )
    ticks = [(float(t.replace("−", "-")), x, y, anchor) for t, x, y, anchor in texts
             if re.fullmatch(r"[-−]?[\d.]+", t)]
    bottom = max(y for _, _, y, _ in ticks)
    across = sorted((x, value) for value, x, y, _ in ticks if y == bottom)
    up = sorted((y, value) for value, x, y, _ in ticks if y != bottom)

    def line(known):
        (a, first), (b, last) = known[0], known[-1]
        return lambda pixel: first + (pixel - a) / (b - a) * (last - first)

    to_x, to_y = line(across), line(up)
    # Labels of the vertical axis are centred on their lines, give or take how a text is set.
    return [(to_x(x), to_y(y)) for x, y in pixels]


def huber(r, delta):
    return r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)


def set_slider(page, name, share):
    page.locator(f"#{name}").evaluate(
        """(slider, share) => {
          slider.value = Math.round(share * Number(slider.max));
          slider.dispatchEvent(new Event('input', { bubbles: true }));
          slider.dispatchEvent(new Event('change', { bubbles: true }));
        }""",
        share,
    )


def check(found, loss):
    """A picture has tenths of pixels, and its texts have a line of their own: a hundredth of the axis."""
    xs, ys = [x for x, _ in found], [y for _, y in found]
    tolerance = 0.02 * (max(ys) - min(ys))
    assert len(found) >= 4 and max(xs) - min(xs) > 2
    for x, y in found:
        assert abs(y - loss(x)) <= tolerance, (x, y, loss(x))


def test_a_slider_moves_the_curve_to_what_is_true(room):
    page = room("?loss=huber(delta%3D1)")
    check(points(page, "loss"), lambda r: huber(r, 1))
    set_slider(page, "parameter-0-delta", 0.6)
    drawn(page)
    delta = float(page.locator("#parameter-0-delta").get_attribute("aria-valuetext"))
    assert delta == pytest.approx(100 ** 0.2, rel=0.01)
    assert f"delta%3D{delta}" in page.url
    check(points(page, "loss"), lambda r: huber(r, delta))
    check(points(page, "gradient"), lambda r: max(-delta, min(delta, r)))
    # What can be typed need not be where the slider can be.
    page.get_by_label("delta, as a number").fill("0.5")
    drawn(page)
    check(points(page, "loss"), lambda r: huber(r, 0.5))


def test_what_is_wrong_is_said_where_it_is(room):
    page = room("?loss=huber&loss=squared_error")
    before = page.locator("#picture-loss svg").inner_html()
    page.get_by_label("delta, as a number").fill("-1")
    problem = page.locator(".chosen > li").nth(0).get_by_role("alert")
    problem.wait_for()
    assert "delta" in problem.inner_text()
    # The other is drawn still.
    assert page.locator("#picture-loss .layer-0").count() == 1
    assert page.locator("#picture-loss svg").inner_html() != before
    page.get_by_label("delta, as a number").fill("2")
    problem.wait_for(state="hidden")


def test_a_formula_that_is_wrong_shows_where(room):
    page = room("?loss=squared_error&loss=formula%3A abs(p - y")
    problem = page.locator(".chosen > li").nth(1).get_by_role("alert")
    problem.wait_for()
    _, text, caret = problem.inner_text().splitlines()
    assert text.strip() == "abs(p - y"
    assert caret.index("^") - text.index("abs") == len("abs(p - y")
    field = page.get_by_label("Formula", exact=True)
    assert field.input_value() == "formula: abs(p - y"


def test_a_formula_is_drawn_as_the_loss_that_it_is(room):
    text = "where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; d = 1"
    page = room(f"?loss=huber(delta=1)&loss=formula%3A {quote(text)}")
    drawn(page)
    built_in, typed = (page.evaluate(POINTS, ["loss", layer]) for layer in (0, 1))
    assert built_in == typed
    page.get_by_role("slider", name="d", exact=True).fill("2")
    drawn(page)
    assert page.evaluate(POINTS, ["loss", 1]) != built_in


def test_losses_are_found_and_added(room):
    page = room()
    assert page.locator(".chosen > li").count() == 3
    page.get_by_text("More losses").click()
    page.get_by_role("searchbox").fill("cauchy")
    page.get_by_role("checkbox", name="cauchy").check()
    drawn(page)
    assert "loss=cauchy" in page.url
    assert page.locator("#picture-loss .layer-3").count() == 1
    page.get_by_role("button", name="Take squared_error away").click()
    drawn(page)
    assert "squared_error" not in page.url


def test_what_is_known_is_told(room, lossfn):
    page = room("?loss=tukey_biweight&loss=huber(delta%3D1.5)")
    page.wait_for_selector(".facts")
    expected = lossfn("describe", "tukey_biweight")["card"]
    for property, answer in (("convex", "no"), ("bounded", "yes"), ("redescending", "yes")):
        assert expected[property]["answer"] == answer
        row = page.locator(".facts tr", has=page.get_by_text(property, exact=True)).first
        assert row.locator(".answer").inner_text() == answer
    page.get_by_role("radio", name="huber").check()
    until(page, "document.querySelector('.formulas math')")
    page.get_by_role("heading", name="huber(delta=1.5)").wait_for()
    assert page.locator(".formulas math mtable").count() >= 1
    # The browser knows how to lay it out.
    box = page.locator(".formulas math").first.bounding_box()
    assert box["height"] > 30 and box["width"] > 100
    page.get_by_label("Language").select_option("numpy")
    until(page, "document.querySelector('#code').textContent.includes('def huber')")
    until(page, "location.hash.includes('code=numpy')")
    page.go_back()
    page.get_by_role("heading", name="tukey_biweight").wait_for()


def test_the_address_brings_back_what_was_seen(room):
    page = room("?loss=quantile(level%3D0.2)&loss=expectile&from=-1&to=2")
    set_slider(page, "parameter-0-level", 0.7)
    drawn(page)
    picture = page.locator("#picture-loss svg").inner_html()
    again = room(page.url.partition("#curves")[2])
    drawn(again)
    assert again.locator("#picture-loss svg").inner_html() == picture
    page.reload()
    page.wait_for_selector("#picture-loss svg")
    drawn(page)
    assert page.locator("#picture-loss svg").inner_html() == picture


def test_rooms_keep_their_state(room):
    page = room("?loss=cauchy")
    page.get_by_role("link", name="Regression").click()
    page.wait_for_url("**/#regression*")
    page.get_by_role("link", name="Curves").click()
    page.wait_for_selector("#picture-loss svg")
    assert "loss=cauchy" in page.url
    page.go_back()
    page.wait_for_url("**/#regression*")


def test_keys_are_enough(room):
    page = room("?loss=huber(delta%3D1)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "room"
    before = page.locator("#picture-loss svg").inner_html()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "parameter-0-delta":
            break
    assert page.evaluate("document.activeElement.id") == "parameter-0-delta"
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    drawn(page)
    assert page.locator("#picture-loss svg").inner_html() != before
    assert page.evaluate("document.activeElement.id") == "parameter-0-delta"
    # What has the focus can be seen to have it.
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_everything_has_a_name(room):
    page = room()
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, a, [role=slider]')]
          .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
          .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    for landmark in ("banner", "navigation", "main"):
        assert page.get_by_role(landmark).count() == 1
    until(page, "document.getElementById('said').textContent.includes('huber')")


@pytest.mark.parametrize("fragment", ["#curves", "#predictions"])
def test_a_narrow_screen_is_wide_enough(open_page, fragment):
    page = open_page(fragment, width=360, height=800)
    page.wait_for_selector(".card")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_light_and_dark(room):
    page = room(dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    picture = page.locator("#picture-loss svg").inner_html()
    page.get_by_role("button", name="Switch to light colours").click()
    drawn(page)
    assert page.evaluate(ground) != dark
    assert page.locator("#picture-loss svg").inner_html() != picture


def test_pictures_are_downloaded(room):
    page = room()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download gradient as SVG").click()
    assert download.value.suggested_filename == "gradient.svg"
    assert open(download.value.path(), "rb").read(4) == b"<svg"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download loss as PNG").click()
    assert open(download.value.path(), "rb").read(8) == b"\x89PNG\r\n\x1a\n"


def test_pictures_follow_the_hand(room, is_followed):
    """From the event of the slider to the new pictures."""
    page = room()
    took = page.evaluate(
        """async () => {
          const slider = document.querySelector('#parameter-0-delta');
          const canvas = document.querySelector('#picture-second .canvas');
          const took = [];
          for (let at = 300; at < 700; at += 8) {
            const drawn = new Promise((done) => new MutationObserver((_, watch) => {
              watch.disconnect();
              done();
            }).observe(canvas, { childList: true }));
            const start = performance.now();
            slider.value = at;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await drawn;
            took.push(performance.now() - start);
          }
          return took;
        }"""
    )
    is_followed("a slider", took)
