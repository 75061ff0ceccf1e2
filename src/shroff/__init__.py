"""Shroff: transaction-fraud detection, the same on one machine and on AWS."""

__version__ = "0.1.0"
