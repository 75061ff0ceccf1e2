"""Concerns of the stack, one a file."""
