"""Insights: against published results, independent references and the edges."""
