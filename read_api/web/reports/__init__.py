"""Pages of reports: those there are, the form that has one made, and each with its file and its proof."""
