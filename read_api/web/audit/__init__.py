"""The auditor's pages: events and what became of them, the past beside today, evidence, the access trail."""
