"""nbgrader's settings for this course, for whoever calls nbgrader itself in this folder; `python -m fcn_keras grade` does without."""

from fcn_keras.grading.course import PUBLIC_SEED, seed_of
from fcn_keras.grading.judging import pipeline

c = get_config()  # noqa: F821  nbgrader's
c.CourseDirectory.course_id = "fcn_keras"
c.Judge.seed = seed_of(PUBLIC_SEED)
pipeline(c)
