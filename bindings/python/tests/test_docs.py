"""Examples in the documentation give what they say, and every docstring is whole."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import lossfn

MODULES = ["lossfn", *(one.name for one in pkgutil.walk_packages(lossfn.__path__, "lossfn."))]
MEMBERS = {
    f"{cls.__name__}.{name}": getattr(cls, name)
    for cls in (lossfn.Loss, lossfn.Cost, lossfn.LinearCost, lossfn.Card, lossfn.Fact)
    for base in cls.__mro__[:2]
    if base.__module__.startswith("lossfn")
    for name in vars(base)
    if not name.startswith("_")
}
PUBLIC = {name: getattr(lossfn, name) for name in lossfn.__all__} | MEMBERS
SECTIONS = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]


def run(name, text):
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    said = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert not said, "".join(said)
    return len(test.examples)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_modules(name):
    if name.endswith("_lossfn") or name.endswith("__main__"):
        pytest.skip("no Python")
    try:
        module = importlib.import_module(name)
    except ImportError as missing:
        pytest.skip(str(missing))
    assert module.__doc__
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        runner.run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_everything_public(name):
    text = inspect.getdoc(PUBLIC[name])
    if name == "catalog":
        return
    if "." not in name or callable(PUBLIC[name]):
        assert text.split("\n\n")[0].rstrip().endswith((".", "`")), "a sentence says what it is"
    run(name, text)


@pytest.mark.parametrize("id", lossfn.catalog)
@pytest.mark.parametrize("kind", ["function", "class"])
def test_docstrings_of_losses_are_whole(id, kind):
    thing = getattr(lossfn, id) if kind == "function" else lossfn.catalog[id]
    text = thing.__doc__
    parts = re.split(r"^(\w+)\n-+\n", text, flags=re.M)
    head, sections = parts[0], dict(zip(parts[1::2], parts[2::2], strict=True))
    expected = [
        name for name in SECTIONS if kind == "function" or name not in ("Returns", "Raises")
    ]
    assert list(sections) == expected
    assert all(body.strip() for body in sections.values())
    for name, line in re.findall(r"^(\w+)\n(-+)$", text, re.M):
        assert len(name) == len(line)
    documented = re.findall(r"^(\w+) : ", sections["Parameters"], re.M)
    assert documented == list(inspect.signature(thing).parameters)
    loss = lossfn.catalog[id]()
    assert loss.formula.splitlines()[0] in head and head.splitlines()[0].endswith(".")
    # The summary is one line by convention, and so is each line of a formula.
    exempt = {head.splitlines()[0], *(line.strip() for line in loss.formula.splitlines())}
    assert all(len(line) <= 100 for line in text.splitlines() if line.strip() not in exempt)
    if kind == "function":
        assert "ValueError" in sections["Raises"] and "TypeError" in sections["Raises"]
    assert run(id, text) >= 2, "an example is a call with its result"
