"""The pipeline on AWS: one handler a function, each from its event to the flows and back."""
