"""The room for classification, in a browser."""

import re

import pytest

from conftest import settled


@pytest.fixture
def room(open_page):
    def visit(query="", **how):
        page = open_page(f"#classification{query}", **how)
        settled(page)
        return page

    return visit


def right(page):
    """The share of right decisions under each loss, in per cent."""
    texts = page.locator(".panel > .note:not(.flat)").all_inner_texts()
    return [float(re.search(r"right (\S+) %", text).group(1)) for text in texts]


def grounds(page):
    return page.locator(".panel .canvas").evaluate_all("(all) => all.map((one) => one.innerHTML)")


def test_noise_of_labels_moves_borders(room):
    page = room("?label_noise=0&spread=0.6")
    before, shares = grounds(page), right(page)
    assert len(before) == 6 and min(shares) > 97
    page.locator("#label_noise").focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    settled(page)
    assert "label_noise=0.1" in page.url
    assert all(now != then for now, then in zip(grounds(page), before))
    assert max(right(page)) < 90


def test_a_rare_class_is_given_up(room):
    def found(imbalance):
        page = room(f"?imbalance={imbalance}&spread=3&label_noise=0")
        named = page.locator(".panel figure").first.get_attribute("aria-label")
        right, of = map(int, re.search(r"class 1: (\d+) of (\d+)", named).groups())
        assert f"class 1: {of} points" in page.locator(".key").inner_text()
        return right / of

    assert found(0.9) < 0.6 < 0.65 < found(0)


def test_three_classes_have_three_grounds(room):
    page = room("?classes=3&spread=0.6&label_noise=0")
    assert min(right(page)) > 90
    first = page.locator(".panel .canvas").first.inner_html()
    cells = first[first.index("crispEdges"):first.index('class="grid"')]
    assert len(set(re.findall(r'fill="(#\w+)"', cells))) == 3


def test_a_network_bends_the_border(room):
    page = room("?layout=moons&spread=0.3&label_noise=0&loss=logistic")
    straight = right(page)
    page.get_by_text("Network").click()
    settled(page)
    assert straight[0] < 95 < 98 < right(page)[0]


def test_a_loss_without_slope_says_so(room):
    page = room("?loss=zero_one&loss=logistic")
    flat = page.locator(".flat")
    assert flat.nth(0).is_visible() and not flat.nth(1).is_visible()


def test_what_is_wrong_is_said_where_it_is(room):
    page = room("?loss=logistic&loss=poisson&loss=hinge_embedding")
    problems = page.locator(".chosen > li").all()
    assert not problems[0].locator(".problem").is_visible()
    for problem in problems[1:]:
        assert "tasks binary or multiclass" in problem.locator(".problem").inner_text()
    page.locator("#label_noise ~ input").fill("2")
    settled(page)
    assert "label noise: 2 is not from 0 to 1" in page.locator(".views > .problem").inner_text()
    page.locator("#label_noise ~ input").fill("0.1")
    settled(page)
    assert not page.locator(".views > .problem").is_visible()


def test_the_address_brings_back_what_was_seen(room):
    page = room("?classes=3&layout=moons&model=network&loss=softmax_focal(gamma%3D3)&loss=brier")
    page.locator("#count").fill("90")
    settled(page)
    again = room(page.url.partition("#classification")[2])
    assert "count=100" in again.url
    assert grounds(again) == grounds(page)
    assert again.locator(".chosen").inner_html() == page.locator(".chosen").inner_html()


def test_losses_are_chosen_by_keys(room):
    page = room("?loss=logistic")
    page.locator("summary").press("Enter")
    page.get_by_label("Search: Losses").fill("squared hinge")
    page.get_by_role("checkbox", name="squared_hinge", exact=True).press("Space")
    settled(page)
    assert "loss=squared_hinge" in page.url and len(right(page)) == 2
    page.get_by_role("button", name="Take logistic away").press("Enter")
    settled(page)
    assert page.locator(".panel h2").all_inner_texts() == ["squared_hinge"]


def test_a_narrow_screen_is_wide_enough(room):
    page = room(width=360, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
