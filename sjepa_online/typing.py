"""Types of arrays that the whole library shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Samples, times and scores in double precision.
Floats = NDArray[np.float64]
#: Real numbers of any precision: epochs are stored in single precision.
FloatArray = NDArray[np.floating[Any]]
#: True for the channels, samples or trials that are meant.
BoolMask = NDArray[np.bool_]
#: Positions in another array.
Indices = NDArray[np.intp]
