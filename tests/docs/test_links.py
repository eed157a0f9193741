"""No link leads nowhere: files and headings exist, and addresses of the web are well formed."""

import re
from urllib.parse import urlsplit

import pytest

from distillkit import __name__ as package

REPOSITORY = f"https://github.com/{package}/{package}"
LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
BUILT = ("auto_examples/",)  # written by the build of the site


def links(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return LINK.findall(re.sub(r"`[^`]*`", "code", text))


def anchors(path):
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_inside_the_repository_lead_to_files_and_headings(page):
    for link in links(page):
        if urlsplit(link).scheme or link.startswith(BUILT):
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not heading or heading in anchors(target), f"{page.name}: {link}"


def test_links_to_the_repository_lead_to_files(page):
    root = next(parent for parent in page.parents if (parent / "pyproject.toml").exists())
    for link in links(page):
        parts = urlsplit(link)
        if not parts.scheme:
            continue
        assert parts.scheme == "https", link
        assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), link
        inside = re.match(rf"{REPOSITORY}/blob/main/(.+)|https://raw\.githubusercontent\.com/\w+/\w+/main/(.+)", link)
        if inside:
            assert (root / (inside[1] or inside[2])).exists(), link


@pytest.mark.parametrize("name", ["README.md"])
def test_the_readme_has_absolute_links_only(all_pages, name):
    page = next(path for path in all_pages if path.name == name)
    assert links(page)
    assert not [link for link in links(page) if not urlsplit(link).scheme]
