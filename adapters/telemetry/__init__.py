"""Spans, figures and log lines; off until asked for."""
