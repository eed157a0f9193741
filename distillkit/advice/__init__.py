"""Advice on which methods suit some data, by measuring the data and by the rules of the field."""

from distillkit.advice._cost_estimate import CostEstimate
from distillkit.advice._recommend import recommend
from distillkit.advice._recommendation import Recommendation
from distillkit.advice._recommended import Recommended
from distillkit.advice._situation import Situation

__all__ = ["CostEstimate", "Recommendation", "Recommended", "Situation", "recommend"]
