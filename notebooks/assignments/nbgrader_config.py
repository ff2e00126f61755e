"""nbgrader's settings here, for its own commands; `python -m fcn_keras grade` does not need them."""

from fcn_keras.grading.judging import use_judge
from fcn_keras.grading.sheets import PUBLIC_SEED, seed_of

c = get_config()  # noqa: F821  nbgrader's
c.CourseDirectory.course_id = "fcn_keras"
c.Judge.seed = seed_of(PUBLIC_SEED)
use_judge(c)
