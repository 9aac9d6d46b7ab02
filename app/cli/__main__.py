"""`python -m app.cli`: the command line, as `analytics` is."""

from app.cli.main import main

main()
