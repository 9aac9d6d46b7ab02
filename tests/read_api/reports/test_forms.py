"""Forms of reports: the same document gives the same bytes anywhere, and names that mean harm are but names."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pypdf
import pytest
from xhtml2pdf.config.resources import ResourceAccessError

from read_api.reports import excel
from read_api.reports.pdf import make
from read_api.reports.writers import FORMS, write
from tests.read_api.reports.documents import HOSTILE, LONG, WRITINGS, document, league, section

ROOT = Path(__file__).parents[3]
MAKE = """
import hashlib
from read_api.reports.writers import FORMS, write
from tests.read_api.reports.documents import document
for name in FORMS:
    print(name, hashlib.sha256(write(name, document())).hexdigest())
"""
PLACES = (
    {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1", "LANG": "C", "LC_ALL": "C"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "99", "LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"},
)


@pytest.mark.ci  # two processes that load all that draws: ten seconds
def test_the_same_document_is_the_same_file_anywhere(tmp_path: Path) -> None:
    """In another time zone, locale, folder, and with another seed of hashes."""
    found = []
    for number, place in enumerate(PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        env = {**os.environ, **place, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto'}"}
        made = subprocess.run([sys.executable, "-c", MAKE], cwd=folder, env=env, capture_output=True, check=True)
        found.append(made.stdout.decode().split())
    assert found[0] == found[1]
    assert len(found[0]) == 2 * len(FORMS)


@pytest.fixture(scope="module")
def watched() -> dict[str, Any]:
    """The PDF of a document of hostile names, and what was opened and connected to while its HTML was laid out."""
    seen: list[tuple[str, Any]] = []
    listening = [False]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if listening[0] and (event.startswith("socket.") or event in ("open", "subprocess.Popen", "os.system")):
            seen.append((event, args[0]))

    write("pdf", document())  # whatever is loaded once is loaded
    sys.addaudithook(hook)
    listening[0] = True
    content = write("pdf", document())
    listening[0] = False
    return {"content": content, "seen": seen}


def test_nothing_is_fetched_and_no_file_is_read(watched: dict[str, Any]) -> None:
    """Whatever the names in a report look like."""
    assert watched["seen"] == []


@pytest.mark.parametrize("source", ["http://127.0.0.1:9/a.png", "https://example.com/a.png", "ftp://h/a"])
def test_html_names_no_address(source: str) -> None:
    """The policy of every conversion lets none through, public ones neither."""
    with pytest.raises(ResourceAccessError):
        make.DENY_ALL.check_url(source)


@pytest.mark.parametrize("source", ["/etc/passwd", "a.png", "../../etc/passwd"])
def test_html_names_no_file(source: str) -> None:
    """Wherever it lies."""
    with pytest.raises(ResourceAccessError):
        make.DENY_ALL.check_path(source)


def test_all_of_it_can_be_read(watched: dict[str, Any]) -> None:
    """Every page says which of how many it is; the contents name the page of each section; names stand as they are."""
    pages = pypdf.PdfReader(io.BytesIO(watched["content"])).pages
    texts = [page.extract_text() for page in pages]
    whole = re.sub(r"\s", "", "".join(texts))
    assert f"of {len(pages)}" in texts[0]
    assert "trading-events:0=12" in texts[-1]
    for name in (HOSTILE[2], HOSTILE[5], WRITINGS[0], WRITINGS[1], WRITINGS[2], LONG):
        assert re.sub(r"\s", "", name) in whole
    assert "Thispartcouldnotbemade." in whole
    assert "\ufffd" not in whole


def test_no_heading_ends_a_page() -> None:
    """Twelve sections: after each heading comes a beginning of what it is of."""
    many = [section(league([f"s{n}" for n in range(9)]), "table", title=f"Heading {n}") for n in range(12)]
    pages = pypdf.PdfReader(io.BytesIO(write("pdf", document(*many)))).pages
    for page in pages[1:-1]:
        assert "s0" in page.extract_text().rpartition("Heading")[2]


def workbook(*sections: Any) -> dict[str, str]:
    """The parts of a workbook."""
    with zipfile.ZipFile(io.BytesIO(write("xlsx", document(*sections)))) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def test_a_workbook_has_no_formula_and_no_link_from_data() -> None:
    """Texts stay texts; the only links lead to its own sheets."""
    parts = workbook()
    sheets = [text for name, text in parts.items() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet for sheet in sheets)
    assert not any("hyperlinks" in sheet for sheet in sheets[1:])
    assert not any("http://127" in text for name, text in parts.items() if name.endswith(".rels"))
    assert any("=HYPERLINK" in sheet for sheet in sheets)
    assert any(name.startswith("xl/charts/") for name in parts)


def test_what_is_too_much_goes_on_and_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows on the next sheet, which says so; a text that is too long with how long it is."""
    monkeypatch.setattr(excel, "MOST_ROWS", 15)
    parts = workbook(section(league([*map(str, range(24)), "y" * 40_000])))
    sheets = [text for name, text in sorted(parts.items()) if name.startswith("xl/worksheets/sheet")]
    assert [sheet.count("<row ") for sheet in sheets[1:]] == [3 + 11, 3 + 11, 3 + 6]
    assert "part 3" in sheets[3]
    assert "[cut: 40,000 characters]" in sheets[3]


def test_one_byte_more_is_another_file() -> None:
    """What a document holds is in its file: another figure gives other bytes, in all forms."""
    one, other = (document(section(league(names), "table")) for names in (["a"], ["b"]))
    for name in FORMS:
        assert hashlib.sha256(write(name, one)).digest() != hashlib.sha256(write(name, other)).digest()
