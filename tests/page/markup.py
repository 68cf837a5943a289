"""A page read as a browser reads it, and what every page must hold: used by the tests of this folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(("meta", "link", "input", "br", "img", "hr", "source", "wbr"))
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass
class Element:
    """One element."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, with single blanks."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()
                if child.tag in ("p", "li", "td", "th", "dt", "dd", "div", "h1", "h2", "h3", "tr", "summary"):
                    yield " "

    def all(self, tag: str | None = None, **attributes: str) -> list[Element]:
        """Elements inside, in order; `class_` wants one of the classes, `data_key` the attribute `data-key`."""
        return [each for each in self._walk() if (tag is None or each.tag == tag) and each._has(attributes)]

    def one(self, tag: str | None = None, **attributes: str) -> Element:
        """The only one."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements <{tag}> with {attributes}"
        return found[0]

    def _walk(self) -> Iterator[Element]:
        for child in self.children:
            if not isinstance(child, str):
                yield child
                yield from child._walk()

    def _has(self, wanted: dict[str, str]) -> bool:
        for name, value in wanted.items():
            own = self.attributes.get(name.rstrip("_").replace("_", "-"))
            if own is None or (value not in own.split() if name == "class_" else own != value):
                return False
        return True


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {}, None)
        self._here = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs}, self._here)
        self._here.children.append(element)
        if tag not in VOID:
            self._here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._here.tag == tag, f"</{tag}> closes <{self._here.tag}> (line {self.getpos()[0]})"
        assert self._here.parent is not None
        self._here = self._here.parent

    def handle_data(self, data: str) -> None:
        self._here.children.append(data)


def read(html: str) -> Element:
    """The document. AssertionError where elements are not closed in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader._here is reader.root, f"<{reader._here.tag}> is not closed"
    return reader.root


def faults(html: str) -> list[str]:
    """What no page of ours may have, by rules of HTML, of WCAG 2.2 and of our content security policy."""
    page = read(html)
    found = []
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    found += [f"id {id} is there twice" for id in {each for each in ids if ids.count(each) > 1}]
    for each in page.all():
        for name, value in each.attributes.items():
            if name == "style" or name.startswith("on"):
                found.append(f"<{each.tag}> has {name}: our policy forbids it")
            if name in ("href", "src", "action") and not re.match(r"(/(?!/)|#|$|\?)", value):
                found.append(f"<{each.tag}> points elsewhere: {value}")
            if name in ("aria-labelledby", "aria-describedby") and not set(value.split()) <= set(ids):
                found.append(f"<{each.tag}> is labelled by nothing: {value}")
            if name == "for" and value not in ids:
                found.append(f"a label for nothing: {value}")
        if each.tag == "style" or (each.tag == "script" and ("src" not in each.attributes or each.text)):
            found.append(f"<{each.tag}> in the page: our policy forbids it")
        if each.tag == "a" and not (each.text or each.attributes.get("aria-label")):
            found.append(f"a link without words: {each.attributes}")
    found += _of_tables(page) + _of_inputs(page) + _of_landmarks(page)
    return found


def _of_tables(page: Element) -> list[str]:
    found = ["a table without a caption" for each in page.all("table") if not each.all("caption")]
    return found + [f"a heading of nothing: {each.text}" for each in page.all("th") if "scope" not in each.attributes]


def _of_inputs(page: Element) -> list[str]:
    labelled = {each.attributes.get("for") for each in page.all("label")}
    return [
        f"an input without a label: {each.attributes}"
        for each in page.all("input") + page.all("select")
        if each.attributes.get("type") != "hidden"
        and each.attributes.get("id") not in labelled
        and "aria-label" not in each.attributes
    ]


def _of_landmarks(page: Element) -> list[str]:
    found = []
    if len(page.all("h1")) != 1:
        found.append(f"{len(page.all('h1'))} headings of the first level")
    if len(page.all("main")) != 1:
        found.append("not one main part")
    if not page.all("title") or not page.one("html").attributes.get("lang"):
        found.append("no title or no language")
    level = 0
    for each in page.all():
        if each.tag in HEADINGS:
            mine = HEADINGS.index(each.tag) + 1
            if mine > level + 1:
                found.append(f"<{each.tag}> {each.text!r} after level {level}")
            level = mine
    return found
