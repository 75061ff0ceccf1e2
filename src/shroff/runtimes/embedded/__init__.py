"""One machine: a gateway and a worker over SQLite, watched by one parent."""
