"""From a question to its answer: parameters, statements, totals, lists, formatting."""
