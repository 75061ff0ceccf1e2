"""Places: where Shroff runs, what it is told there, and the one room that chooses adapters."""
