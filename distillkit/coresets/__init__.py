"""Selection of rows: controls and coresets."""

from distillkit.coresets._class_means import ClassMeans
from distillkit.coresets._craig import CraigCoreset
from distillkit.coresets._el2n import EL2NCoreset
from distillkit.coresets._facility_location import FacilityLocationCoreset
from distillkit.coresets._forgetting import ForgettingCoreset
from distillkit.coresets._grad_match import GradMatchCoreset
from distillkit.coresets._grand import GraNdCoreset
from distillkit.coresets._herding import HerdingCoreset
from distillkit.coresets._influence import InfluenceCoreset
from distillkit.coresets._kcenter import KCenterCoreset
from distillkit.coresets._kmeans import KMeansCoreset
from distillkit.coresets._leverage import LeverageCoreset
from distillkit.coresets._lightweight import LightweightCoreset
from distillkit.coresets._random import RandomSubset
from distillkit.coresets._sensitivity import SensitivityCoreset
from distillkit.coresets._streaming import StreamingCoreset
from distillkit.coresets._uncertainty import UncertaintyCoreset
from distillkit.coresets._whole import WholeSet
from distillkit.distilled._certificate import Certificate, certify

__all__ = [
    "Certificate",
    "ClassMeans",
    "CraigCoreset",
    "EL2NCoreset",
    "FacilityLocationCoreset",
    "ForgettingCoreset",
    "GraNdCoreset",
    "GradMatchCoreset",
    "HerdingCoreset",
    "InfluenceCoreset",
    "KCenterCoreset",
    "KMeansCoreset",
    "LeverageCoreset",
    "LightweightCoreset",
    "RandomSubset",
    "SensitivityCoreset",
    "StreamingCoreset",
    "UncertaintyCoreset",
    "WholeSet",
    "certify",
]
