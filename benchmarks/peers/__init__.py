"""What a user would pick instead: our own minimal code over it, each run where it is installed."""
