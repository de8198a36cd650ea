"""The room of one's own predictions, in a browser."""

import pytest

from conftest import until


@pytest.fixture
def room(open_page):
    def visit(query="", **how):
        page = open_page(f"#predictions{query}", **how)
        page.wait_for_selector(".drop")
        return page

    return visit


def choose(page, *paths):
    page.locator("#file").set_input_files([str(path) for path in paths])
    page.wait_for_selector("#costs td[data-value], .problem:visible")


def costs(page):
    """The numbers of the table, with all their digits."""
    return [float(text) for text in
            page.locator("#costs td[data-value]").evaluate_all("all => all.map((e) => e.dataset.value)")]


@pytest.mark.parametrize("file, prediction", [
    ("diabetes.csv", "ridge"),
    ("breast_cancer.parquet", "score"),
    ("digits.npz", None),
])
def test_costs_are_those_of_eval(room, data, lossfn, file, prediction):
    page = room()
    choose(page, data / file)
    assert page.locator("#target").input_value() == "y"
    guess = page.locator("#prediction").input_value()
    assert prediction in (None, guess)
    expected = lossfn("eval", data / file, "--target", "y", "--prediction", guess)
    assert costs(page) == [cost["cost"] for cost in expected["costs"]]
    page.wait_for_selector("#picture-predictions svg")
    page.wait_for_selector(".findings")


def test_groups_losses_and_weights(room, data, lossfn):
    page = room()
    file = data / "diabetes.csv"
    choose(page, file)
    page.locator("#by").select_option("age_group")
    page.locator("#weights").select_option("weight")
    page.get_by_role("radio", name="Choose").check()
    page.wait_for_selector("#costs tbody tr:nth-child(3)")
    page.wait_for_timeout(500)
    losses = lossfn("eval", file, "--target", "y", "--prediction", "ridge")["costs"]
    flags = [flag for cost in losses for flag in ("--loss", cost["loss"])]
    expected = lossfn("eval", file, "--target", "y", "--prediction", "ridge", "--by", "age_group",
                      "--weights", "weight", *flags)
    assert costs(page) == [cost["cost"] for cost in expected["costs"]]
    # Another view of the same file, by its address.
    page.reload()
    page.wait_for_selector("#costs tbody tr:nth-child(3)")
    assert costs(page) == [cost["cost"] for cost in expected["costs"]]
    page.go_back()
    until(page, "document.querySelector('#costs') && document.querySelector('.chosen') === null")
    assert page.locator("#weights").input_value() == "weight"


def test_a_file_is_dropped(room, data, lossfn):
    page = room()
    file = data / "diabetes.csv"
    page.evaluate(
        """(text) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], 'diabetes.csv'));
          document.querySelector('.drop')
            .dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        file.read_text(),
    )
    page.wait_for_selector("#costs td[data-value]")
    expected = lossfn("eval", file, "--target", "y", "--prediction", "ridge")
    assert costs(page) == [cost["cost"] for cost in expected["costs"]]


def test_what_is_wrong_is_said_where_it_is(room, tmp_path):
    page = room()
    bad = tmp_path / "bad.csv"
    bad.write_text("y,p\n1,2\n2,three\n")
    choose(page, bad)
    problem = page.locator(".views .problem:visible").first
    problem.wait_for()
    assert problem.inner_text().startswith("bad.csv: row 2, column p")
    picture = tmp_path / "picture.parquet"
    picture.write_bytes(b"\x89PNG and so on")
    choose(page, picture)
    page.get_by_text("picture.parquet: ").first.wait_for()
    # And a good one is read after it.
    good = tmp_path / "good.csv"
    good.write_text("y,p\n" + "1,2\n" * 40)
    choose(page, good)
    page.wait_for_selector("#costs td[data-value]")
    assert page.locator(".problem:visible").count() == 0


def test_a_file_that_is_gone_is_asked_for(room):
    page = room("?file=nothing&name=a.csv")
    page.get_by_text("choose it again").wait_for()


def test_advice_is_that_of_the_program(room, data, lossfn):
    page = room()
    file = data / "breast_cancer.csv"
    choose(page, file)
    page.locator("#prediction").select_option("tree_score")
    page.wait_for_selector(".findings")
    page.wait_for_timeout(500)
    expected = lossfn("advise", file, "--target", "y", "--prediction", "tree_score")
    found = page.locator(".findings tbody tr td:nth-child(2)").all_inner_texts()
    assert found == [finding["found"] for finding in expected["findings"]]
    assert expected["losses"]
    page.get_by_role("button", name=expected["losses"][0]["loss"], exact=True).click()
    page.wait_for_selector(".chosen")
    assert "loss=" in page.url


def test_keys_are_enough(room, data):
    page = room()
    page.locator("#file").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(str(data / "diabetes.csv"))
    page.wait_for_selector("#costs td[data-value]")
    page.locator("#by").focus()
    page.keyboard.type("sex")
    page.wait_for_selector("#costs tbody tr:nth-child(2)")
    assert "by=sex" in page.url
