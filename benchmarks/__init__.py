"""Benchmarks: each runs by itself, prints a table or JSON, and says what it measures."""
