"""Knowledge distillation: students that learn from teachers, and soft labels for distilled rows."""

from distillkit.knowledge._smallest_student import SmallestStudent
from distillkit.knowledge._soft_labels import SoftLabels
from distillkit.knowledge._teacher_student import TeacherStudentDistiller

__all__ = ["SmallestStudent", "SoftLabels", "TeacherStudentDistiller"]
