"""Reports: what is asked for one, the document that answers make, and the writers of its forms."""
