"""What is wrong with a data set on disk, and how to mend it.

    python -m fcn_keras check-data my_pictures

A wrong label raises no error in training: the network learns it. So every picture and mask is
opened once, and each `Finding` names the files and says what to do.
"""

from fcn_keras.data_checks.checking import check
from fcn_keras.data_checks.interpolation import BLENDED, Blends, blended_share
from fcn_keras.data_checks.report import REMEDIES, Finding, Report
from fcn_keras.data_checks.shifts import EdgeEvidence, Shift, label_shift

__all__ = [
    "BLENDED",
    "REMEDIES",
    "Blends",
    "EdgeEvidence",
    "Finding",
    "Report",
    "Shift",
    "blended_share",
    "check",
    "label_shift",
]
