"""Nouns: pure values and arithmetic of fraud detection. No clock, no I/O."""
