"""A class's assignments: the students' sheets made from their sources, and what was handed in, graded."""
