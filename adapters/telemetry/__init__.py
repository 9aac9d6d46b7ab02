"""Traces to an OTLP collector."""
