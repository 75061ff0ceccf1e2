"""Verbs: what Shroff does, one flow a file, asking the world through ports only."""
