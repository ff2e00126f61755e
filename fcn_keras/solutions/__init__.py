"""Solutions of the notebooks' exercises, shown on request: `fcn.solutions.show("03.2")`."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
HEADING = re.compile(r"^## (\d\d\.\d+)[^\n]*\n", re.M)


@dataclass(frozen=True)
class Solution:
    """A solution. A notebook renders its Markdown, a terminal shows the plain text."""

    name: str
    text: str

    def _repr_markdown_(self) -> str:
        return f"**Solution {self.name}**\n\n{self.text}"

    def __repr__(self) -> str:
        return f"Solution {self.name}\n\n{self.text}"


def show(name: str) -> Solution:
    """The solution of one exercise.

    Args:
        name: Notebook and exercise, such as `"03.2"`: the second exercise of notebook 03.

    Raises:
        ValueError: If there is no such exercise. The message lists the existing ones.
    """
    found = solutions()
    if name not in found:
        same_notebook = [other for other in found if other.startswith(str(name)[:2])]
        existing = same_notebook or list(found)
        raise ValueError(
            f"Expected the number of an exercise, such as {existing[0]!r}. Received: {name!r}. "
            f"There are {', '.join(existing)}."
        )
    return Solution(name, found[name])


def solutions() -> dict[str, str]:
    """All solutions: `{"03.2": text}`, in order."""
    found = {}
    for path in sorted(FOLDER.glob("[0-9][0-9].md")):
        text = path.read_text(encoding="utf-8").split("\n## questions", 1)[0]
        _, *parts = HEADING.split(text)
        for name, solution in zip(parts[::2], parts[1::2], strict=True):
            found[name] = solution.strip("\n")  # no spaces: the first line may be indented code
    return found
