"""An hour's work of each person who meets the product in a browser, as a walk through its pages: a file a person.

Every figure that a walk stops at is read out of the page and compared with what the query answers, so that it can fail.
Walks share one instance with its sample data (`tests/support/two_months.py`). To wait for a browser takes seconds: but
for the shortest they run in CI after `make test`.
"""
