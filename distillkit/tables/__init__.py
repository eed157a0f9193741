"""Mixed tables as numbers and back: an encoder that learns the columns of any frame."""

from distillkit.tables._distilled_table import DistilledTable
from distillkit.tables._encoder import TableEncoder

__all__ = ["DistilledTable", "TableEncoder"]
