"""Honest life: where customers are, what they pay, and the bursts that only look like fraud."""
