"""The rules of the field, one class each, and the list by which methods are judged."""

from distillkit.advice.rules._compute import Compute
from distillkit.advice.rules._first_try import FirstTry
from distillkit.advice.rules._gradients import Gradients
from distillkit.advice.rules._homogeneous_data import HomogeneousData
from distillkit.advice.rules._image_data import ImageData
from distillkit.advice.rules._imbalanced import Imbalanced
from distillkit.advice.rules._large_share import LargeShare
from distillkit.advice.rules._linear_model import LinearModel
from distillkit.advice.rules._little_time import LittleTime
from distillkit.advice.rules._many_classes import ManyClasses
from distillkit.advice.rules._many_rows import ManyRows
from distillkit.advice.rules._privacy import Privacy
from distillkit.advice.rules._probability_labels import ProbabilityLabels
from distillkit.advice.rules._purpose import Purpose
from distillkit.advice.rules._regression import Regression
from distillkit.advice.rules._requirements import Requirements
from distillkit.advice.rules._series_data import SeriesData
from distillkit.advice.rules._slowness import Slowness
from distillkit.advice.rules._small_data import SmallData
from distillkit.advice.rules._tables import Tables
from distillkit.advice.rules._time_limit import TimeLimit
from distillkit.advice.rules._wide import Wide

__all__ = [
    "RULES",
    "Compute",
    "FirstTry",
    "Gradients",
    "HomogeneousData",
    "ImageData",
    "Imbalanced",
    "LargeShare",
    "LinearModel",
    "LittleTime",
    "ManyClasses",
    "ManyRows",
    "Privacy",
    "ProbabilityLabels",
    "Purpose",
    "Regression",
    "Requirements",
    "SeriesData",
    "Slowness",
    "SmallData",
    "Tables",
    "TimeLimit",
    "Wide",
]

RULES = (
    Purpose(),
    Requirements(),
    FirstTry(),
    SmallData(),
    HomogeneousData(),
    Privacy(),
    Gradients(),
    LinearModel(),
    LittleTime(),
    TimeLimit(),
    Slowness(),
    Compute(),
    ImageData(),
    SeriesData(),
    Regression(),
    Tables(),
    ManyClasses(),
    Imbalanced(),
    Wide(),
    LargeShare(),
    ManyRows(),
    ProbabilityLabels(),
)
"""All rules, in the order in which their reasons are given."""
