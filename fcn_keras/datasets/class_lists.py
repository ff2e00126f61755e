"""Lists of classes as people and labelling tools write them.

A list says which number, or which colour, in a mask stands for which class. It lies in the data
set's folder under one of the names in `FILES`. What is in it decides how it is read, not its name:

    grass                   # one name a line, the first is number 0
    0: road                 # or with its number, in any order
    road 128 64 128         # or with its colour, also #804080
    Pixel Value, Class      # or a table with a header (Roboflow)
    road:128,64,128::       # or CVAT's labelmap.txt
    names: [grass, road]    # or YOLO's data.yaml

A class called void or ignore is no class: its pixels are not scored. A line that is not understood
is refused.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fcn_keras.datasets import items
from fcn_keras.datasets.mask_codes import Colour, NumberCode
from fcn_keras.support.labels import VOID

CLASSES = "classes.txt"
FILES = (CLASSES, "class_names.txt", "labels.txt", "labelmap.txt", "label_colors.txt")
FILES = (*FILES, "_classes.csv", "class_dict.csv", "data.yaml", "data.yml")
NO_CLASS = ("void", "ignore", "ignored")
LABELME_VOID, LABELME_ZERO = "__ignore__", "_background_"  # labelme's numbers −1 and 0

RGB = r"(?:rgb)?[(\[]?\s*\d+[\s,;]+\d+[\s,;]+\d+\s*[)\]]?|#[0-9a-f]{6}"
COLOURED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<name>.*[^\s,;:=])\s*[\s,;:=]\s*(?P<colour>{RGB})",
        rf"(?P<colour>{RGB})\s*[\s,;:=]\s*(?P<name>\S.*)",
    )
)
NUMBERED = (  # and whether such a line is certainly no name, as 'lane 1' may be one
    (re.compile(r"(?P<name>.*\S)\s*[,;:=|]\s*(?P<number>-?\d+)"), True),
    (re.compile(r"(?P<number>-?\d+)\s*(?:\s-\s|\.\s|[\s,;:=|)])\s*(?P<name>\S.*)"), True),
    (re.compile(r"(?P<name>.*\S)\s+(?P<number>\d+)"), False),
)
CVAT = re.compile(r"(?P<name>[^:]*[^:\s])\s*:(?P<colour>[\d,\s]*):[^:]*:[^:]*")
COLUMNS = {  # the headers of a table's columns, and what they hold
    **dict.fromkeys(("class", "name", "label", "class name", "class label"), "name"),
    **dict.fromkeys(("pixel value", "value", "number", "id", "index", "class id"), "number"),
    **dict.fromkeys(("r", "red"), "red"),
    **dict.fromkeys(("g", "green"), "green"),
    **dict.fromkeys(("b", "blue"), "blue"),
    **dict.fromkeys(("color", "colour", "hex"), "colour"),
}


class Entry(NamedTuple):
    """A class as one line of a list gives it."""

    line: str
    name: str
    number: int | None = None  # in the masks; None: the line's place
    colour: Colour | None = None


class Form(NamedTuple):
    """A form that lists are written in."""

    fits: Callable[[list[str]], bool]
    read: Callable[[Path, list[str]], list[Entry]]


@dataclass(frozen=True)
class ClassList:
    """The classes of a data set, and what stands for them in its masks."""

    file: Path
    names: tuple[str, ...]
    numbers: Mapping[int, int]  # number in a mask → class number, or 255 for void
    colours: Mapping[str, Sequence[Colour]] | None = None  # for masks whose colours count

    @property
    def code(self) -> NumberCode:
        return NumberCode({**self.numbers, VOID: VOID}, void_is_meant=VOID in self.numbers)

    def agrees(self, other: "ClassList") -> bool:
        """Whether both say the same, as far as both say it."""
        if self.colours is not None and other.colours is not None:
            return self.names == other.names and self.colours == other.colours
        of_numbers = self.colours is None and other.colours is None
        return self.names == other.names and (
            not of_numbers or self.code.numbers == other.code.numbers
        )


def in_folder(*folders: Path) -> ClassList | None:
    """The list of classes that lies in one of the folders, or `None`.

    Several lists have to agree. Then the one with colours counts.

    Raises:
        ValueError: If two lists differ, or one of them cannot be read.
    """
    paths = [path for folder in dict.fromkeys(folders) for path in _files(folder)]
    lists = [read(path) for path in paths]
    for other in lists[1:]:
        if not lists[0].agrees(other):
            named = (f"{one.file} ({', '.join(one.names)})" for one in (lists[0], other))
            raise ValueError(
                f"Expected one list of classes in {folders[0]}. "
                f"Received: {' and '.join(named)}, which differ. Remove the wrong one."
            )
    return min(lists, key=lambda one: one.colours is None, default=None)


def required(folder: Path) -> ClassList:
    """The list of classes that lies in a folder.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: As `in_folder`.
    """
    found = in_folder(folder)
    if found is not None:
        return found
    below = [path for inside in sorted(folder.glob("*/")) for path in _files(inside)]
    hint = f". Is it {below[0]}? Move it to {folder}." if below else ""
    raise FileNotFoundError(
        f"Expected {folder / CLASSES}: one class name per line, the first is class 0. "
        f"Received: no such file{hint}"
    )


def read(path: Path) -> ClassList:
    """Reads a list of classes in any of the forms.

    Raises:
        ValueError: If it has no names, a name twice, colours on some lines only, or a line that is
            not understood.
    """
    text = _text(path)
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip() and not _is_comment(line.strip())]
    form = next(form for form in FORMS if form.fits(lines))
    return _class_list(path, form.read(path, lines))


def _files(folder: Path) -> list[Path]:
    """The lists in a folder, in the order of `FILES`. A .yaml file without names is none."""
    inside = sorted(folder.glob("*.*"), key=lambda path: path.name)
    found = [path for name in FILES for path in inside if path.name.lower() == name]
    return [path for path in found if path.is_file() and _may_hold_names(path)]


def _may_hold_names(path: Path) -> bool:
    is_yaml = path.suffix.lower() in (".yaml", ".yml")
    return not is_yaml or _is_yaml(_text(path).splitlines())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Expected {path} to be plain text. Received: {error}. Save it as UTF-8 in your editor."
        ) from error


def _is_comment(line: str) -> bool:
    return line.startswith("#") and not COLOURED[1].fullmatch(line)


def _wrong(path: Path, wanted: str, line: str, advice: str = "") -> ValueError:
    return ValueError(f"Expected {path} to {wanted}. Received: {line.strip()!r}. {advice}".strip())


# --- what the entries mean ---


def _class_list(path: Path, entries: list[Entry]) -> ClassList:
    without = [entry for entry in entries if entry.colour is None]
    if without and len(without) < len(entries):
        wanted = "give a colour on every line ('road 128 64 128') or on none"
        raise _wrong(path, wanted, without[0].line)
    colours: dict[str, list[Colour]] = {}
    numbers: dict[int, str] = {}
    for number, entry in _numbered(path, entries):
        name = "void" if _is_void(entry.name) else entry.name
        if number in numbers and (entry.colour is None or numbers[number] != name):
            raise _wrong(path, "give each number once", entry.line)
        numbers[number] = name
        if entry.colour is not None:  # several colours may stand for one class
            colours.setdefault(name, []).append(entry.colour)
    ordered = [numbers[number] for number in sorted(numbers)]
    names = [name for name in (dict.fromkeys(ordered) if colours else ordered) if name != "void"]
    names = items.class_names(str(path), names)
    if colours:
        return ClassList(path, names, {}, colours)
    if numbers.get(VOID, "void") != "void":
        raise _wrong(path, "number the classes 0 to 254 (255 is void)", numbers[VOID])
    meanings = {n: VOID if name == "void" else names.index(name) for n, name in numbers.items()}
    return ClassList(path, names, meanings)


def _is_void(name: str) -> bool:
    return name.strip("_ ").lower() in NO_CLASS


def _numbered(path: Path, entries: list[Entry]) -> Iterator[tuple[int, Entry]]:
    """Every entry and its number; without one on its line, its place in the list."""
    first = -1 if entries and entries[0].name == LABELME_VOID else 0
    for place, entry in enumerate(entries, first):
        number = place if entry.number is None else entry.number
        by_labelme = {LABELME_VOID: -1, LABELME_ZERO: 0}.get(entry.name, number)
        if entry.number is None and entry.colour is None and number != by_labelme:
            wanted = f"begin with {LABELME_VOID} or {LABELME_ZERO}, as labelme's lists do"
            raise _wrong(path, wanted, entry.line)
        lowest, highest = (-1, VOID) if _is_void(entry.name) else (0, VOID - 1)
        if entry.number is not None and not lowest <= number <= highest:
            raise _wrong(path, "number the classes 0 to 254 (255 is void)", entry.line)
        yield (VOID if number == -1 else number), entry  # −1 is 255 in a byte


def _colour(path: Path, line: str, text: str) -> Colour:
    """`128 64 128`, `(128, 64, 128)` or `#804080`."""
    if text.strip().startswith("#"):
        numbers = list(bytes.fromhex(text.strip()[1:]))
    else:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
    if len(numbers) != 3 or max(numbers) > 255:
        wanted = "give three numbers after each name, 0 to 255 ('road 128 64 128')"
        raise _wrong(path, wanted, line, "A class 'lane 2' may be called lane_2.")
    return (numbers[0], numbers[1], numbers[2])


# --- the forms ---


def _is_yaml(lines: list[str]) -> bool:
    return any(re.match(r"names\s*:", line) for line in lines)


def _of_yaml(path: Path, lines: list[str]) -> list[Entry]:
    """YOLO's `names:`, a list or numbers with names, in brackets or one a line."""
    start = next(index for index, line in enumerate(lines) if re.match(r"names\s*:", line))
    lines = [re.sub(r"\s#.*", "", line) for line in lines[start:]]
    first = lines[0].split(":", 1)[1].strip()
    if first:
        text = " ".join([first, *lines[1:]])
        inside = re.match(r"\[([^\]]*)\]|\{([^}]*)\}", text)
        if inside is None:
            raise _wrong(path, "hold names: [grass, road], or one name a line", lines[0])
        parts = re.findall(r"""(?:'[^']*'|"[^"]*"|[^,])+""", inside[1] or inside[2] or "")
        parts = [part.strip() for part in parts if part.strip()]
        is_numbered = inside[2] is not None
    else:
        parts = []
        for line in lines[1:]:
            if re.match(r"[^\s-]", line):
                break  # the next key
            parts.append(line.strip())
        is_numbered = bool(parts) and not parts[0].startswith("-")
    pattern = r"(?P<number>\d+)\s*:\s*(?P<name>.+)" if is_numbered else r"(?:-\s+)?(?P<name>.+)"
    return [_of_yaml_item(path, part, pattern) for part in parts]


def _of_yaml_item(path: Path, part: str, pattern: str) -> Entry:
    match = re.fullmatch(pattern, part)
    found = match.groupdict() if match else {"name": ""}
    name = found["name"].strip()
    quoted = re.fullmatch(r"""'([^']*)'|"([^"\\]*)\"""", name)
    if not name or (quoted is None and re.search(r"""^['"\[{&*!|>]|:\s|,""", name)):
        raise _wrong(path, "hold names as YOLO writes them: a list, or 0: grass", part)
    if quoted is not None:
        name = quoted[1] or quoted[2] or ""
    return Entry(part, name, int(found["number"]) if "number" in found else None)


def _header(lines: list[str]) -> list[str | None]:
    """What the columns of a table hold, by its first line."""
    cells = _cells(lines[0]) if lines else []
    return [COLUMNS.get(cell.lower().replace("_", " ")) for cell in cells]


def _cells(line: str) -> list[str]:
    separator = next((mark for mark in ",;\t" if mark in line), ",")
    (cells,) = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [cell.strip() for cell in cells]


def _is_table(lines: list[str]) -> bool:
    known = [column for column in _header(lines) if column is not None]
    return len(known) >= 2 and "name" in known


def _of_table(path: Path, lines: list[str]) -> list[Entry]:
    """A table with a header: Roboflow's `_classes.csv`, or `name,r,g,b`."""
    columns, entries = _header(lines), []
    for line in lines[1:]:
        cells = _cells(line)
        row = dict(zip(columns, cells))
        number = row.get("number")
        if len(cells) != len(columns) or not (number is None or re.fullmatch(r"-?\d+", number)):
            raise _wrong(path, f"have rows like its header, {lines[0]!r}", line)
        text = row.get("colour") or " ".join(row.get(c, "") for c in ("red", "green", "blue"))
        colour = _colour(path, line, text) if text.strip() else None
        entries.append(Entry(line, row["name"], None if number is None else int(number), colour))
    return entries


def _is_labelmap(lines: list[str]) -> bool:
    return any(map(CVAT.fullmatch, lines))


def _of_labelmap(path: Path, lines: list[str]) -> list[Entry]:
    """CVAT's `name:r,g,b:parts:actions`."""
    entries = []
    for line in lines:
        match = CVAT.fullmatch(line)
        if match is None:
            raise _wrong(path, "hold 'name:r,g,b:parts:actions' on every line", line)
        colour = _colour(path, line, match["colour"]) if match["colour"].strip() else None
        entries.append(Entry(line, match["name"].strip(), None, colour))
    return entries


def _of_lines(path: Path, lines: list[str]) -> list[Entry]:
    """One class a line, with or without its number and its colour."""
    lines = [line.strip() for line in lines]
    parts = [_split_colour(path, line) for line in lines]
    numbered = _split_numbers(path, [name for name, _ in parts])
    if _is_json(lines) or (len(lines) == 1 and "," in numbered[0][1]):
        raise _wrong(path, "hold one class name per line, the first is class 0", lines[0])
    return [
        Entry(line, name, number, colour)
        for line, (_, colour), (number, name) in zip(lines, parts, numbered, strict=True)
    ]


def _is_json(lines: list[str]) -> bool:
    try:
        return isinstance(json.loads("\n".join(lines)), (dict, list))
    except ValueError:
        return False


def _split_colour(path: Path, line: str) -> tuple[str, Colour | None]:
    for pattern, surplus in zip(COLOURED, (r".*[\s,;:]\d+", r"\d+[\s,;:].*"), strict=True):
        match = pattern.fullmatch(line)
        if match is not None:
            name = match["name"]
            has_four = re.fullmatch(surplus, name)  # 'lane 2 1 2 3'
            return name, _colour(path, line, "" if has_four else match["colour"])
    return line, None


def _split_numbers(path: Path, lines: list[str]) -> list[tuple[int | None, str]]:
    """Numbers and names, if every line has a number.

    If only some have, they are names ('2 wheeler') unless 0 or 1 is among them, with which a list
    of numbers begins.
    """
    for pattern, is_certain in NUMBERED:
        matches = [pattern.fullmatch(line) for line in lines]
        found = [(int(match["number"]), match["name"]) for match in matches if match]
        numbers, names = {number for number, _ in found}, {name for _, name in found}
        if len(set(found)) != len(names):
            continue  # 'lane 1' and 'lane 2' are names
        if len(found) == len(lines) and (is_certain or numbers == set(range(len(lines)))):
            return list(found)
        if is_certain and numbers & {0, 1}:
            line = lines[matches.index(None)]
            raise _wrong(path, "give a number on every line ('0: road') or on none", line)
    return [(None, line) for line in lines]


FORMS = (  # the first that fits counts
    Form(_is_yaml, _of_yaml),
    Form(_is_table, _of_table),
    Form(_is_labelmap, _of_labelmap),
    Form(lambda lines: True, _of_lines),
)
