"""The demo: a served data folder, simulated traffic with planted fraud, and how much of it was caught."""
