"""Reports that compare one small set with the real rows it stands for."""

from distillkit.reports._column_report import ColumnReport
from distillkit.reports._light import Light
from distillkit.reports._report import report
from distillkit.reports._set_report import SetReport
from distillkit.reports._utility import Utility

__all__ = ["ColumnReport", "Light", "SetReport", "Utility", "report"]
