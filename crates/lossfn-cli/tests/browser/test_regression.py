"""The room for regression, in a browser."""

import re

import pytest

from conftest import settled


def lines(page):
    """Intercept and slope of each line, as the table has them."""
    found = []
    for text in page.locator(".equation").all_inner_texts():
        start, sign, slope = re.fullmatch(r"y = (\S+) ([+−]) (\S+) x", text).groups()
        found.append((float(start.replace("−", "-")), float(slope) * (1 if sign == "+" else -1)))
    return found


def at(line, x):
    return line[0] + line[1] * x


def middle(handle):
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, handle, down):
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + down, steps=8)
    page.mouse.up()
    settled(page)


@pytest.fixture
def room(open_page):
    def visit(query="", **how):
        page = open_page(f"#regression{query}", **how)
        settled(page)
        return page

    return visit


def test_an_outlier_that_is_dragged_moves_squares_most(room):
    page = room()
    before = lines(page)
    assert page.locator(".handle").count() == 26
    drag(page, page.locator(".handle").last, -80)
    after = lines(page)
    squared, absolute, huber = (abs(at(a, 9) - at(b, 9)) for a, b in zip(after, before))
    assert squared > 0.2
    assert absolute < squared / 3 and huber < squared / 3
    assert "points=" in page.url


def test_a_finger_drags_as_a_mouse_does(room):
    page = room(touch=True)
    before = lines(page)
    x, y = middle(page.locator(".handle").last)
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x, y))
    for step in range(1, 9):
        touch("touchMove", (x, y - 15 * step))
    touch("touchEnd")
    settled(page)
    assert abs(at(lines(page)[0], 9) - at(before[0], 9)) > 0.3


def test_points_are_moved_by_keys(room):
    page = room("?count=5&outliers=0")
    assert page.locator('.handle[tabindex="0"]').count() == 1
    first = page.locator('.handle[tabindex="0"]')
    first.focus()
    start = first.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    settled(page)
    x, y = (float(n) for n in re.match(r"x (\S+), y (\S+);", start).groups())
    now = page.locator('.handle[tabindex="0"]').get_attribute("aria-valuetext")
    moved_x, moved_y = (float(n) for n in re.match(r"x (\S+), y (\S+);", now).groups())
    assert moved_x == pytest.approx(x + 1, abs=0.006) and moved_y == pytest.approx(y + 0.1, abs=0.006)
    assert "squared_error" in now
    page.keyboard.press("PageDown")
    assert "point 2 of 5" == page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Delete")
    settled(page)
    assert page.locator(".handle").count() == 4
    assert "point 2 of 4" == page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("End")
    assert "point 4 of 4" == page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_points_come_and_go(room):
    page = room("?count=5&outliers=0")
    box = page.locator(".canvas").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    settled(page)
    assert page.locator(".handle").count() == 6
    page.get_by_role("button", name="Add an outlier").click()
    settled(page)
    assert page.locator(".handle").count() == 7
    page.get_by_role("button", name="Remove a point").click()
    settled(page)
    assert page.locator(".handle").count() == 6


def test_the_address_brings_back_what_was_seen(room):
    page = room("?trend=curve&model=network&steps=200&loss=quantile(level%3D0.8)")
    drag(page, page.locator(".handle").nth(3), 60)
    page.locator("#parameter-0-level").focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    again = room(page.url.partition("#regression")[2])
    for seen in ["tbody", ".canvas >> nth=0", ".chosen"]:
        assert again.locator(seen).inner_html() == page.locator(seen).inner_html()
    assert again.locator("#parameter-0-level").input_value() == page.locator("#parameter-0-level").input_value()
    places = "[...document.querySelectorAll('.handle')].map((handle) => handle.style.cssText)"
    assert again.evaluate(places) == page.evaluate(places)


def test_sliders_change_points_and_fits(room):
    page = room("?loss=huber(delta%3D1)")
    before = lines(page)
    page.locator("#parameter-0-delta").fill("0")  # the left end: a hundredth
    settled(page)
    assert lines(page) != before
    assert "huber" in page.url and "delta%3D0.01" in page.url
    page.locator("#outliers").fill("7")
    settled(page)
    assert page.locator(".handle").count() == 31


def test_what_is_wrong_is_said_where_it_is(room):
    page = room("?loss=squared_error&loss=hinge&noise=99")
    assert "noise: 99 is not from 0 to 10" in page.locator(".views > .problem:visible").inner_text()
    page = room("?loss=squared_error&loss=hinge&loss=huber(delta%3D-1)&loss=hubr")
    problems = page.locator(".chosen > li").all()
    assert not problems[0].locator(".problem").is_visible()
    assert "tasks regression or counts" in problems[1].locator(".problem").inner_text()
    assert "delta" in problems[2].locator(".problem").inner_text()
    assert "hub" in problems[3].locator(".problem").inner_text()
    # The loss that is right is fitted.
    assert len(lines(page)) == 1
    page = room("?points=zz")
    assert "cannot be read" in page.locator(".views > .problem:visible").inner_text()
    assert page.locator(".handle").count() == 26


def test_a_narrow_screen_is_wide_enough(room):
    page = room(width=360, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    drag(page, page.locator(".handle").last, -60)
    assert "points=" in page.url


def test_fits_follow_the_hand(room, is_followed):
    """From a move of the hand to the picture of the new fit."""
    page = room()
    took = page.evaluate(
        """async () => {
          const handle = [...document.querySelectorAll(".handle")].at(-1);
          const canvas = document.querySelector(".canvas");
          const box = handle.getBoundingClientRect();
          const send = (kind, y) => handle.dispatchEvent(new PointerEvent(kind, {
            pointerId: 1, clientX: box.x + box.width / 2, clientY: y, bubbles: true,
          }));
          handle.setPointerCapture = () => {};
          handle.hasPointerCapture = () => true;
          const took = [];
          for (let move = 1; move <= 40; move += 1) {
            const drawn = new Promise((done) => new MutationObserver((_, watch) => {
              watch.disconnect();
              done();
            }).observe(canvas, { childList: true }));
            const start = performance.now();
            send("pointermove", box.y - 3 * move);
            await drawn;
            took.push(performance.now() - start);
          }
          return took;
        }"""
    )
    is_followed("a drag", took)
