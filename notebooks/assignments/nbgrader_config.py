"""Settings for calling nbgrader by hand in this folder; `python -m fcn_keras grade` needs none."""

from fcn_keras.grading.judging import use_judge
from fcn_keras.grading.sheets import PUBLIC_SEED, seed_of

c = get_config()  # noqa: F821  nbgrader's
c.CourseDirectory.course_id = "fcn_keras"
c.Judge.seed = seed_of(PUBLIC_SEED)
use_judge(c)
