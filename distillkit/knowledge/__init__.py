"""Knowledge distillation: students that learn from teachers, and distilled rows that carry a teacher's labels."""

from distillkit.knowledge._soft_labels import SoftLabels
from distillkit.knowledge._teacher_student import TeacherStudentDistiller

__all__ = ["SoftLabels", "TeacherStudentDistiller"]
