"""Brands: each answers ports, and none knows another."""
