"""What each operation does to stacks of rows: numbers, text codes, truths.

A stack is an array [operations, rows]; one call serves every operation of its sort at one depth. Missing is
NaN, in numbers and in text codes alike, and no comparison is true of NaN. A result that is not finite becomes
missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[Any]
Kernel = Callable[..., object]


def lose_infinite(stack: Stack) -> None:
    """Turn what is not finite into missing, in place."""
    np.copyto(stack, np.nan, where=~np.isfinite(stack))


def _finite(ufunc: np.ufunc) -> Kernel:
    def apply(*operands: Stack, out: Stack) -> None:
        ufunc(*operands, out=out)
        lose_infinite(out)

    return apply


def _choose(condition: Stack, chosen: Stack, other: Stack, *, out: Stack) -> None:
    np.copyto(out, other)
    np.copyto(out, chosen, where=condition)


def _spread(constant: Stack, *, out: Stack) -> None:
    np.copyto(out, constant)


def rounding(digits: float) -> Kernel:
    """Round to decimals as Python does: 4.165 is a little more than it looks, and gives 4.17."""
    places = int(digits)

    def apply(x: Stack, *, out: Stack) -> None:
        if places == 0:
            np.rint(x, out=out)
        else:  # scaling, rounding and scaling back would round twice
            out[...] = np.reshape([round(each, places) for each in x.ravel().tolist()], x.shape)

    return apply


KERNELS: Mapping[str, Kernel] = {
    "add": _finite(np.add),
    "subtract": _finite(np.subtract),
    "multiply": _finite(np.multiply),
    "divide": _finite(np.divide),
    "floor_divide": _finite(np.floor_divide),
    "remainder": _finite(np.remainder),
    "negative": np.negative,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "log": _finite(np.log),
    "choose": _choose,
    "spread": _spread,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "missing": np.isnan,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
}


class Codes(dict[str | None, float]):
    """A number for every text of a batch, so that texts compare as numbers; missing is NaN."""

    @classmethod
    def first(cls, texts: Iterable[str]) -> Codes:
        """Codes that begin with these texts."""
        codes = cls({None: np.nan})
        for text in texts:
            codes.setdefault(text, float(len(codes)))
        return codes

    @classmethod
    def after(cls, codes: Codes) -> Codes:
        """Codes that go on where others stop, and leave them as they are."""
        return cls(codes)

    def __missing__(self, text: str | None) -> float:
        code = self[text] = float(len(self))
        return code

    def of(self, texts: Iterable[str | None], count: int) -> NDArray[np.float64]:
        """The codes of so many texts."""
        return np.fromiter(map(self.__getitem__, texts), np.float64, count)

    def apply(self, answer: Callable[[str | None], float], codes: Stack) -> NDArray[np.float64]:
        """The answer for each code, asked once for each different text."""
        places = np.nan_to_num(codes).astype(np.intp).tolist()
        texts = list(self)  # the n-th text has the code n, and None is the text 0
        answers = {place: answer(texts[place]) for place in set(places)}
        return np.fromiter(map(answers.__getitem__, places), np.float64, len(places))

    def texts(self, codes: Stack) -> NDArray[np.object_]:
        """The texts of codes, None where missing."""
        texts = np.array(list(self), dtype=object)
        return texts[np.nan_to_num(codes).astype(np.intp)]


def _lower(codes: Codes, _: str) -> Callable[[str | None], float]:
    return lambda text: codes[None if text is None else text.lower()]


def _length(_: Codes, __: str) -> Callable[[str | None], float]:
    return lambda text: np.nan if text is None else float(len(text))


def _startswith(_: Codes, start: str) -> Callable[[str | None], float]:
    return lambda text: text is not None and text.startswith(start)


def _endswith(_: Codes, end: str) -> Callable[[str | None], float]:
    return lambda text: text is not None and text.endswith(end)


def _contains(_: Codes, part: str) -> Callable[[str | None], float]:
    return lambda text: text is not None and part in text


TEXT_KERNELS: Mapping[str, Callable[[Codes, str], Callable[[str | None], float]]] = {
    "lower": _lower,
    "length": _length,
    "startswith": _startswith,
    "endswith": _endswith,
    "contains": _contains,
}
