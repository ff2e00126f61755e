"""Drawing with NumPy alone: a canvas that keeps colours, labels and distances together.

Nothing here knows about roads. `road_drawing` uses it to draw its scenes.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass
class Canvas:
    """A picture being painted back to front; what is painted later covers what was there.

    Attributes:
        image: float32 `(H, W, 3)`, colours 0-1; above 1: shines by itself, clipped at the end.
        labels: uint8 `(H, W)`, class of the thing seen in each pixel.
        depth: float32 `(H, W)`, its distance in metres, with which haze grows; 0 where nothing was
            painted.
    """

    image: np.ndarray
    labels: np.ndarray
    depth: np.ndarray

    @classmethod
    def empty(cls, height, width):
        return cls(
            np.zeros((height, width, 3), np.float32),
            np.zeros((height, width), np.uint8),
            np.zeros((height, width), np.float32),
        )

    def box(self, left, top, right, bottom):
        """The pixels of a box inside the canvas: two slices and their coordinates, or None."""
        height, width = self.labels.shape
        left, right = max(int(np.floor(left)), 0), min(int(np.ceil(right)) + 1, width)
        top, bottom = max(int(np.floor(top)), 0), min(int(np.ceil(bottom)) + 1, height)
        if left >= right or top >= bottom:
            return None
        columns = np.arange(left, right, dtype=np.float32)[None, :]  # (1, w)
        rows = np.arange(top, bottom, dtype=np.float32)[:, None]  # (h, 1)
        return (slice(top, bottom), slice(left, right)), columns, rows

    def paint(self, where, coverage, colour, label=None, depth=0.0):
        """Mixes a colour in. The label changes where the colour covers at least half of the pixel.

        Args:
            where: Two slices, from `box`.
            coverage: `(h, w)`, 0-1.
            colour: `(3,)` or `(h, w, 3)`, 0-1.
            label: Class, or None: the colour changes (a shadow, a window), the class does not.
            depth: Metres, a number or `(h, w)`; used only with a label.
        """
        part = self.image[where]
        part += coverage[..., None] * (np.asarray(colour, np.float32) - part)
        if label is not None:
            covered = coverage >= 0.5
            self.labels[where][covered] = label
            self.depth[where][covered] = np.broadcast_to(depth, covered.shape)[covered]

    def polygon(self, points, colour, label=None, depth=0.0):
        """Fills a convex polygon with soft edges.

        Args:
            points: `(n, 2)`, column and row of the corners, in either turning direction.
            colour: `(3,)`, or a function of columns `(1, w)` and rows `(h, 1)` that returns
                `(h, w, 3)`.
            label, depth: As in `paint`.
        """
        points = np.asarray(points, np.float64)
        found = self.box(*points.min(0), *points.max(0))
        if found is None:
            return
        where, columns, rows = found
        coverage = np.clip(inside(points, columns, rows) + 0.5, 0, 1)
        if callable(colour):
            colour = colour(columns, rows)
        self.paint(where, coverage, colour, label, depth)


def inside(points, x, y):
    """How far points lie inside a convex polygon: the distance to its nearest edge, else negative.

    Args:
        points: `(n, 2)`, the corners in either turning direction.
        x, y: Arrays that broadcast to `(h, w)`, in the same units as the corners.

    Returns:
        float32 `(h, w)`.
    """
    edge = np.concatenate([points[1:], points[:1]]) - points
    length = np.hypot(edge[:, 0], edge[:, 1])
    # the sign of the area
    turn = np.sign(np.dot(points[:, 0], edge[:, 1]) - np.dot(points[:, 1], edge[:, 0]))
    keep = length > 1e-5
    if turn == 0 or not keep.any():
        return np.full(np.broadcast_shapes(x.shape, y.shape), -1, np.float32)
    # (2, n), pointing inwards
    normal = turn / length[keep] * np.stack([-edge[keep, 1], edge[keep, 0]])
    away = np.sum(normal * points[keep].T, axis=0)
    nx, ny, away = (v.astype(np.float32)[:, None, None] for v in (*normal, away))
    return (nx * x + (ny * y - away)).min(axis=0)  # (n, h, w) to (h, w)


def colours(text):
    """Colours written as in HTML, `"ff8000 336699"`, as float32 `(n, 3)`, 0-1."""
    return np.array([tuple(bytes.fromhex(word)) for word in text.split()], np.float32) / 255


def pick(rng, options):
    """One of several colours `(n, 3)`."""
    return options[rng.integers(len(options))]


def smoothstep(low, high, x):
    """0 below `low`, 1 above `high`, without a corner between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


NOISE_SIZE = 256


def value_noise(rng, cells=(8, 16, 32, 64)):
    """A tile of value noise that repeats without a seam: random grids, smoothly interpolated.

    Args:
        rng: `np.random.Generator`.
        cells: Grid cells along one side, coarse to fine; each finer grid counts half as much.

    Returns:
        float32 `(256, 256)`, 0-1.
    """
    tile = np.zeros((NOISE_SIZE, NOISE_SIZE), np.float32)
    weight = 1.0
    for n in cells:
        grid = rng.random((n, n), np.float32)
        position = np.arange(NOISE_SIZE) * n / NOISE_SIZE
        left = position.astype(int)
        t = smoothstep(0, 1, position - left).astype(np.float32)
        right = (left + 1) % n
        rows = grid[left] * (1 - t)[:, None] + grid[right] * t[:, None]  # (256, n)
        tile += weight * (rows[:, left] * (1 - t) + rows[:, right] * t)
        weight /= 2
    tile -= tile.min()
    return tile / tile.max()


def look_up(tile, x, y):
    """Values of a repeating noise tile at positions `x`, `y`: any real numbers, in tile pixels."""
    # shifted before it is truncated, which would mirror the tile at 0
    column = (x + 65536).astype(np.int32) & (NOISE_SIZE - 1)
    row = (y + 65536).astype(np.int32) & (NOISE_SIZE - 1)
    return tile[row, column]


def blur(image, side):
    """Blurs with the kernel (side, 1 − 2·side, side) along rows and columns; the border repeats."""
    for axis in (0, 1):
        image = np.swapaxes(image, 0, axis)
        blurred = (1 - 2 * side) * image
        blurred[1:] += side * image[:-1]
        blurred[:-1] += side * image[1:]
        blurred[0] += side * image[0]
        blurred[-1] += side * image[-1]
        image = np.swapaxes(blurred, 0, axis)
    return image
