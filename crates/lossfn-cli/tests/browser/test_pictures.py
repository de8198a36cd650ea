"""The pictures of docs/images: taken anew with `--pictures`."""

import pytest

from conftest import ROOT

VIEWS = {
    "curves": "?loss=huber(delta%3D1.0)&loss=tukey_biweight(scale%3D3.0)&loss=absolute_error",
    "regression": "",
    "classification": "",
    "predictions": "",
}


@pytest.mark.parametrize("room", VIEWS)
def test_a_picture_of_each_room(open_page, data, request, tmp_path, room):
    page = open_page(f"#{room}{VIEWS[room]}", width=1280, height=900)
    page.wait_for_selector(".card")
    if room == "predictions":
        page.locator("#file").set_input_files(str(data / "diabetes.csv"))
        page.wait_for_selector("#costs td[data-value]")
        page.locator("#by").select_option("age_group")
    page.wait_for_selector(".picture svg")
    page.wait_for_timeout(1500)
    picture = page.screenshot()
    kept = ROOT / "docs" / "images"
    if request.config.getoption("--pictures"):
        kept.mkdir(exist_ok=True)
    else:
        kept = tmp_path
    (kept / f"explore-{room}.png").write_bytes(picture)
    assert len(picture) < 250_000
