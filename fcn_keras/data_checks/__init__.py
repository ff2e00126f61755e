"""What is wrong with a data set on disk, and how to mend it. A wrong label raises no error in training: the network learns it.

    python -m fcn_keras check-data my_pictures

Every picture and mask is opened once. A `Finding` names the files and says what to do; none means that nothing was found.
"""

from fcn_keras.data_checks.evidence import BLENDED, EdgeEvidence, Shift, blended_share, label_shift
from fcn_keras.data_checks.report import REMEDIES, Finding, Report
from fcn_keras.data_checks.walk import check

__all__ = [
    "BLENDED",
    "REMEDIES",
    "EdgeEvidence",
    "Finding",
    "Report",
    "Shift",
    "blended_share",
    "check",
    "label_shift",
]
