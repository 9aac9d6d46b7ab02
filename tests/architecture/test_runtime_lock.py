"""The runtime lock holds what runs, and nothing that only tests need."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import ROOT

TEST_PACKAGES = ("faker", "polyfactory", "hypothesis", "pytest", "schemathesis")

WITHOUT_THEM = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None
from app.docs.openapi import document
assert document()["paths"]
"""


def test_no_test_package_is_installed_with_the_service() -> None:
    """Litestar declares polyfactory, for examples in OpenAPI documents that it would make up; ours are declared."""
    pinned = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    assert pinned & set(TEST_PACKAGES) == set()
    subprocess.run([sys.executable, "-c", WITHOUT_THEM, *TEST_PACKAGES], check=True, cwd=ROOT)
