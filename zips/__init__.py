"""Makes the functions' zips: `python -m zips`. The same input gives the same bytes."""


class Unpackable(Exception):
    """What keeps a zip from being made, a sentence each."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
