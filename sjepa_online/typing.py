"""Types of arrays, as the whole library names them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Of double precision: what classifiers and filters compute with.
Floats: TypeAlias = NDArray[np.float64]
#: Of any precision: what they accept.
FloatArray: TypeAlias = NDArray[np.floating[Any]]
#: One truth a channel, a sample or a trial, ``True`` for those that are meant.
BoolMask: TypeAlias = NDArray[np.bool_]
#: Places in another array, as NumPy gives them.
Indices: TypeAlias = NDArray[np.intp]
#: Indices of classes, or counts.
Integers: TypeAlias = NDArray[np.integer[Any]]
#: Labels of trials: names or numbers of classes.
Labels: TypeAlias = NDArray[Any]
#: Any array, where its type depends on what it holds.
AnyArray: TypeAlias = NDArray[Any]
