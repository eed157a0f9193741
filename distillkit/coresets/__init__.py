"""Selection of rows: controls and coresets."""

from distillkit._certificate import Certificate, certify
from distillkit.coresets._class_means import ClassMeans
from distillkit.coresets._kcenter import KCenterCoreset
from distillkit.coresets._kmeans import KMeansCoreset
from distillkit.coresets._random import RandomSubset
from distillkit.coresets._streaming import StreamingCoreset
from distillkit.coresets._whole import WholeSet

__all__ = [
    "Certificate",
    "ClassMeans",
    "KCenterCoreset",
    "KMeansCoreset",
    "RandomSubset",
    "StreamingCoreset",
    "WholeSet",
    "certify",
]
