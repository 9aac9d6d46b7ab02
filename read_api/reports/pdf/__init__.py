"""PDF: prose by a template, charts as the pages draw them, tables of any length, in one pass over the document."""
