"""Coresets: methods that select or average rows, and the controls they are compared with."""

from distillkit.coresets.controls._class_means import ClassMeans
from distillkit.coresets.controls._random import RandomSubset
from distillkit.coresets.controls._whole import WholeSet
from distillkit.coresets.geometric._facility_location import FacilityLocationCoreset
from distillkit.coresets.geometric._herding import HerdingCoreset
from distillkit.coresets.geometric._kcenter import KCenterCoreset
from distillkit.coresets.geometric._kmeans import KMeansCoreset
from distillkit.coresets.gradients._craig import CraigCoreset
from distillkit.coresets.gradients._grad_match import GradMatchCoreset
from distillkit.coresets.gradients._influence import InfluenceCoreset
from distillkit.coresets.sampling._leverage import LeverageCoreset
from distillkit.coresets.sampling._lightweight import LightweightCoreset
from distillkit.coresets.sampling._sensitivity import SensitivityCoreset
from distillkit.coresets.scores._el2n import EL2NCoreset
from distillkit.coresets.scores._forgetting import ForgettingCoreset
from distillkit.coresets.scores._grand import GraNdCoreset
from distillkit.coresets.scores._uncertainty import UncertaintyCoreset
from distillkit.coresets.streaming._streaming import StreamingCoreset
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
