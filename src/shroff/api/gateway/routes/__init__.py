"""What the gateway answers, one concern a file."""
