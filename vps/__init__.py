"""Visual Precision Search: which parts of an image make a detector put this box here.

from vps import Target, detect, explain

found = detect(detector, "street.jpg")[0]
explanation = explain(detector, "street.jpg", Target(found.box, found.label))
explanation.heatmap    # (H, W), 1 where it matters most
"""

from vps.answer import Answer, RegionSet
from vps.detections import Found, detect, visible
from vps.detector import Detector
from vps.errors import IncompleteError, InputError, VpsError
from vps.explain import explain
from vps.failures import explain_failure
from vps.regions import Regions, make_regions
from vps.result import Explanation
from vps.targets import Kind, Target
from vps.types import Detections

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Detections",
    "Detector",
    "Explanation",
    "Found",
    "IncompleteError",
    "InputError",
    "Kind",
    "RegionSet",
    "Regions",
    "Target",
    "VpsError",
    "detect",
    "explain",
    "explain_failure",
    "make_regions",
    "visible",
]
