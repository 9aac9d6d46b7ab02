"""`python -m app.reference`: write the pages and say which changed."""

import sys

from app.reference import write

if __name__ == "__main__":
    sys.stdout.writelines(f"written: docs/{name}\n" for name in write())
