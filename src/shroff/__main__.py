"""`python -m shroff` is the `shroff` command."""

from shroff.cli import main

if __name__ == "__main__":
    main()
