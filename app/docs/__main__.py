"""`python -m app.docs`: write the pages and say which changed."""

import sys

from app.docs import api_descriptions, openapi, write

if __name__ == "__main__":
    sys.stdout.writelines(f"written: docs/{name}\n" for name in write())
    sys.stdout.writelines(f"written: {name}\n" for name in openapi.write())
    sys.stdout.writelines(f"written: {name}\n" for name in api_descriptions.write())
