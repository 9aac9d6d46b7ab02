"""Charts of tiles, declared once as Vega-Lite: for the pages, and for documents."""
