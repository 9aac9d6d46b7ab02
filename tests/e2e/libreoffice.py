"""python -m tests.e2e.libreoffice [FILE …]: does LibreOffice read workbooks of reports as they were written?

Each is opened without anybody who could agree to a repair, and written as XML again. Its sheets, the numbers in them
and its pivot table must be there; a pivot table is filled anew from the rows by then, so that its sums are those of
LibreOffice. Without a file it is a workbook that is made up here, with names that mean harm.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

from read_api.reports.writers import write
from tests.read_api.reports.documents import document, league, section
from tests.read_api.reports.test_pivot import SOME

SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OPEN = ("soffice", "--headless", "--convert-to", "fods", "--outdir")
SECONDS = 300.0
DAY_0 = datetime(1899, 12, 30)
OF_CHART = "local-table"  # which a chart has for itself


def made_up(folder: Path) -> Path:
    """A workbook of two sections."""
    trades = section(SOME, "table", query="trades", title="Trades")
    file = folder / "made-up.xlsx"
    file.write_bytes(write("xlsx", document(trades, section(league([f"s{n}" for n in range(200)])))))
    return file


def numbers_written(book: zipfile.ZipFile) -> set[str]:
    """The different numbers in its cells, to nine digits: of the last ones LibreOffice has others."""
    found: set[str] = set()
    for name in filter(SHEET.fullmatch, book.namelist()):
        for cell in ElementTree.fromstring(book.read(name)).iter(f"{MAIN}c"):
            value = cell.find(f"{MAIN}v")
            if cell.get("t", "n") == "n" and value is not None and value.text:
                found.add(f"{float(value.text):.9g}")
    return found


def numbers_read(text: str) -> set[str]:
    """The different numbers that LibreOffice has; dates as the days that a cell holds."""
    numbers = {f"{float(value):.9g}" for value in re.findall(r'office:value="([^"]+)"', text)}
    dates = [datetime.fromisoformat(value) for value in re.findall(r'office:date-value="([^"]+)"', text)]
    return numbers | {f"{(date - DAY_0) / timedelta(days=1):.9g}" for date in dates}


def problems(file: Path, folder: Path) -> list[str]:
    """What LibreOffice makes of it that is not as it was written."""
    subprocess.run([*OPEN, str(folder), str(file)], check=True, capture_output=True, timeout=SECONDS)
    text = (folder / f"{file.stem}.fods").read_text()
    with zipfile.ZipFile(file) as book:
        written, names = numbers_written(book), book.namelist()
    wrong = []
    if missing := sorted(written - numbers_read(text)):
        wrong.append(f"{len(missing)} of {len(written)} numbers are not there, such as {missing[0]}")
    sheets = sum(map(bool, map(SHEET.fullmatch, names)))
    opened = [name for name in re.findall(r'<table:table table:name="([^"]*)"', text) if name != OF_CHART]
    if len(opened) != sheets:
        wrong.append(f"{len(opened)} sheets, not {sheets}")
    if any("pivotTables/" in name for name in names) and "<table:data-pilot-table " not in text:
        wrong.append("the pivot table is gone")
    return wrong


def main() -> int:
    """Look at each; 0 when all is as it was written."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.libreoffice", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    failed = False
    with tempfile.TemporaryDirectory(prefix="analytics-libreoffice-") as name:
        folder = Path(name)
        for file in parser.parse_args().files or [made_up(folder)]:
            wrong = problems(file, folder)
            failed = failed or bool(wrong)
            print(f"{file.name}: {'; '.join(wrong) or 'as it was written'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
