"""Plain files: reports in a folder, and transactions read from tables that somebody exported."""
