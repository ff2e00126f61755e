"""Pictures of places, with a class for every pixel, drawn with NumPy: where `small_vgg` learns what lies, stands and hangs.

A place is a plane to stand on, divided into strips, between walls that run away from us, under a sky; things stand on it.
What a strip, a wall or a thing is made of is drawn at random, with only a slight leaning towards what photographs
show (foliage is often green): so the class of a pixel must be read from shape, perspective and what is around it.
No picture here is a road scene of `road_scenes`, and none is meant to look real.

Every pixel is a ray from the eye. The nearest plane that it meets gives its class, and its coordinates on that plane
give the texture. Lengths are in heights of the eye above the ground.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawing import blur, look_up, smoothstep, value_noise
from fcn_keras.progress import progress

HEIGHT, WIDTH = 128, 160
CLASS_NAMES = ("sky", "path", "edge strip", "ground", "wall", "foliage", "thing", "pole")
SKY, PATH, EDGE, GROUND, WALL, FOLIAGE, THING, POLE = range(len(CLASS_NAMES))
PALETTE = np.array(
    [(86, 180, 233), (240, 228, 66), (230, 159, 0), (178, 223, 138), (204, 121, 167), (0, 158, 115), (0, 114, 178), (30, 30, 30)],
    np.uint8,
)
FAR = 60.0  # beyond this everything is backdrop
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


def drawn_worlds(count: int, seed: int = 0) -> SegmentationData:
    """Drawn places, 128 × 160, eight classes, kept in memory (82 KB each).

    Args:
        count: How many; 8,000 take about three minutes on two cores.
        seed: Another seed, other places. Place i of a seed is the same bytes whatever the count.

    Returns:
        `SegmentationData`.

    Raises:
        ValueError: If `count` is smaller than 1.
    """
    if count < 1:
        raise ValueError(f"Expected count to be at least 1. Received: count={count}")
    places = []
    with progress("drawing places", count) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for place in pool.map(lambda index: draw_world(np.random.default_rng([seed, index])), range(count)):
            places.append(place)
            advance()
    return SegmentationData(lambda index: places[index], count, CLASS_NAMES, PALETTE, "drawn places")


def draw_world(rng) -> tuple[np.ndarray, np.ndarray]:
    """One place: image uint8 `(128, 160, 3)`, labels uint8 `(128, 160)`."""
    return _World(rng).drawn()


class _World:
    """A place being painted back to front."""

    def __init__(self, rng):
        self.rng = rng
        self.noise = value_noise(rng, cells=tuple(2 ** np.arange(rng.integers(2, 4), rng.integers(6, 8))))
        self.image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        self.labels = np.full((HEIGHT, WIDTH), SKY, np.uint8)
        self.depth = np.full((HEIGHT, WIDTH), FAR, np.float32)
        self.focal = WIDTH * rng.uniform(0.55, 1.5)
        self.horizon = HEIGHT * np.clip(rng.normal(0.45, 0.09), 0.15, 0.8)
        roll = np.radians(rng.normal(0, 1.5))
        x, y = COLUMNS - WIDTH / 2, ROWS - self.horizon
        self.x = (np.cos(roll) * x + np.sin(roll) * y) / self.focal  # of the ray, where z is 1
        self.y = (np.cos(roll) * y - np.sin(roll) * x) / self.focal  # down
        self.heading = rng.normal(0, 0.12)
        self.curve = rng.normal(0, 0.012) * (rng.random() < 0.5)
        self.path = rng.uniform(0.8, 3.5)  # half width
        self.place = rng.uniform(-0.7, 0.7) * self.path  # of the path's middle, to the right of the eye

    def drawn(self):
        self.sky()
        self.backdrop()
        self.ground()
        for side in (-1, 1):
            if self.rng.random() < 0.75:
                self.walls(side)
        self.shadows()
        self.things()
        return self.finished(), self.labels

    # --- materials ---

    def colour(self, *usual):
        """Any colour, or in most cases one near a usual one (grey if none is given)."""
        rng = self.rng
        if rng.random() < 0.25:
            return rng.random(3).astype(np.float32)
        base = np.asarray(usual[rng.integers(len(usual))] if usual else rng.uniform(0.15, 0.85), np.float32)
        return np.clip(base * rng.uniform(0.6, 1.35) + rng.normal(0, 0.05, 3), 0.02, 1).astype(np.float32)

    def material(self, u, v, size, base, strength=None):
        """Colours `(..., 3)` of a surface: noise, and often a pattern; what is finer than a pixel fades.

        Args:
            u, v: Coordinates on the surface.
            size: How much of the surface a pixel covers.
            base: Its colour.
        """
        rng = self.rng
        strength = rng.uniform(0.05, 0.5) if strength is None else strength
        fine, broad = rng.uniform(8, 60), rng.uniform(0.5, 6)
        stretch = rng.choice([1, 1, 1, 4, 0.25])
        seen = np.clip(4 / (fine * size * 8 + 1e-6), 0, 1)
        tone = strength * (look_up(self.noise, u * fine, v * fine * stretch) - 0.5) * seen
        tone += rng.uniform(0, 0.4) * (look_up(self.noise, u * broad + 50, v * broad + 90) - 0.5)
        if rng.random() < 0.4:  # joints, rows of windows, planks
            across, along = rng.uniform(0.3, 3, 2)
            row = np.floor(v / along)
            du, dv = u / across + 0.5 * (row % 2) * (rng.random() < 0.5), v / along
            gap = rng.uniform(0.03, 0.35)
            edge = np.minimum(_middle(du) if rng.random() < 0.8 else 1.0, _middle(dv) if rng.random() < 0.8 else 1.0)
            fades = np.clip(0.3 * min(across, along) / (size + 1e-6), 0, 1)
            tone += rng.uniform(-0.5, 0.5) * (edge > 0.5 - gap) * fades
        return base * (1 + tone[..., None])

    def paint(self, where, depth, label, colour):
        """One colour where a mask is true and nothing nearer was painted; gives back where that is."""
        where = where & (depth < self.depth)
        self.image[where] = colour
        self.labels[where] = label
        self.depth[where] = np.broadcast_to(depth, self.depth.shape)[where]
        return where

    def cover(self, where, depth, label, base, u, v, size, strength=None):
        """A material where a mask is true and nothing nearer was painted."""
        where = self.paint(where, depth, label, base)
        self.image[where] = self.material(u[where], v[where], np.broadcast_to(size, u.shape)[where], base, strength)

    # --- surfaces ---

    def sky(self):
        rng = self.rng
        top, low = self.colour((0.35, 0.55, 0.9), (0.8, 0.82, 0.85)), self.colour((0.85, 0.9, 0.95), (0.9, 0.9, 0.9))
        share = smoothstep(-0.9, 0.0, self.y)[..., None]
        self.image[:] = top * (1 - share) + low * share
        if rng.random() < 0.6:
            clouds = look_up(self.noise, COLUMNS * rng.uniform(0.3, 1), ROWS * rng.uniform(0.5, 2))
            self.image += (rng.uniform(0, 0.4) * smoothstep(0.4, 0.8, clouds))[..., None]

    def backdrop(self):
        """Far hills, trees or houses: a line above the horizon."""
        rng = self.rng
        for _ in range(rng.integers(0, 3)):
            line = look_up(self.noise, COLUMNS * rng.uniform(0.2, 1.5), np.full_like(ROWS, rng.uniform(0, 200)))
            label = FOLIAGE if rng.random() < 0.6 else WALL
            if label == WALL:  # houses have flat roofs
                line = np.round(line * rng.integers(3, 7)) / 5
            top = -rng.uniform(0.02, 0.3) * line
            base = self.colour((0.2, 0.35, 0.15), (0.3, 0.35, 0.2)) if label == FOLIAGE else self.colour()
            self.cover((self.y > top) & (self.y < 0.02), FAR - 1, label, base, COLUMNS / 20, ROWS / 20, np.float32(0.05))

    def ground(self):
        rng = self.rng
        below = self.y > 1 / FAR
        z = 1 / np.where(below, self.y, 1)
        x = self.x * z
        u = x - self.place - self.heading * z - self.curve * z**2 / 2  # right of the path's middle
        size = z / self.focal
        usual = ((0.4, 0.5, 0.25), (0.5, 0.45, 0.35), (0.45, 0.45, 0.45))
        self.cover(below, z, GROUND, self.colour(*usual), x, z, size, rng.uniform(0.2, 0.8))
        edges = {side: rng.choice([0.0, rng.uniform(0.3, 2.5)]) for side in (-1, 1)}
        for side, width in edges.items():
            inside = (u * side > 0) & (u * side < self.path + width)
            self.cover(below & inside, z - 1e-3, EDGE, self.colour(), u, z, size)
        on_path = below & (np.abs(u) < self.path)
        self.cover(on_path, z - 2e-3, PATH, self.colour(), u, z, size, rng.uniform(0.02, 0.35))
        if rng.random() < 0.6:  # a kerb or a line along the path's border
            line = below & (np.abs(np.abs(u) - self.path) < rng.uniform(0.03, 0.12))
            self.image[line] = self.colour((0.8, 0.8, 0.8))
        if rng.random() < 0.5:  # lines on the path, broken or not
            middle = self.path * rng.choice([0, 0, 0.33, -0.33])
            broken = np.floor(z / rng.uniform(1, 4)) % 2 == 0 if rng.random() < 0.6 else True
            line = on_path & (np.abs(u - middle) < rng.uniform(0.03, 0.1)) & broken
            self.image[line] = self.colour((0.9, 0.9, 0.9), (0.9, 0.8, 0.4))
        self.below, self.u = below, u

    def walls(self, side):
        """A row of walls along the path, each with its own height, material and gap to the next."""
        rng = self.rng
        away = self.path + rng.uniform(0.3, 6)  # from the path's middle
        start = rng.uniform(-3, 6)
        while start < 40:
            length = rng.uniform(2, 14)
            height = rng.uniform(0.3, 1.2) if rng.random() < 0.2 else rng.uniform(1.5, 9)
            place = away + rng.uniform(0, 0.8)
            if rng.random() < 0.85:
                self.wall(side * place, start, start + length, height, FOLIAGE if rng.random() < 0.25 else WALL)
            start += length + rng.choice([0, 0, rng.uniform(0.5, 6)])

    def wall(self, u, start, end, height, label):
        """The plane x = place + heading·z + u, from start to end, and the front that looks at us."""
        rng = self.rng
        base = self.colour((0.2, 0.38, 0.15), (0.35, 0.45, 0.2)) if label == FOLIAGE else self.colour()
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (self.place + u) / (self.x - self.heading)
        z = np.where(np.isfinite(z) & (z > 0), np.minimum(z, 10 * FAR), 10 * FAR).astype(np.float32)
        y = self.y * z  # 1 is the ground, negative above the eye
        ragged = rng.uniform(0.2, 1.0) * (look_up(self.noise, z * 12, y * 12 + 7) - 0.5) if label == FOLIAGE else 0
        shape = (z > max(start, 0.3)) & (z < end) & (y < 1) & (y > 1 - height + ragged)
        lit = base * rng.uniform(0.6, 1)
        self.cover(shape, z, label, lit, z, y, z / self.focal)
        if start > 0.5:  # the front
            x = self.x * start
            outer = self.place + self.heading * start + u
            depth = rng.uniform(1, 8) * np.sign(u)
            y = self.y * start
            inside = (x - outer) * (outer + depth - x) > 0
            ragged = rng.uniform(0.2, 1.0) * (look_up(self.noise, x * 12, y * 12) - 0.5) if label == FOLIAGE else 0
            shape = inside & (y < 1) & (y > 1 - height + ragged)
            self.cover(shape, np.float32(start), label, base, x, y, np.float32(start / self.focal))

    def shadows(self):
        """Dark patches on what lies."""
        rng = self.rng
        if rng.random() < 0.5:
            z = 1 / np.where(self.below, self.y, 1)
            patches = look_up(self.noise, self.u * rng.uniform(2, 12), z * rng.uniform(1, 8))
            dark = smoothstep(0, 0.1, patches - rng.uniform(0.35, 0.7)) * rng.uniform(0.2, 0.6)
            lies = np.isin(self.labels, (PATH, EDGE, GROUND))
            self.image *= np.where(lies, 1 - dark, 1)[..., None]

    # --- things ---

    def things(self):
        rng = self.rng
        places = np.sort(np.exp(rng.uniform(np.log(1.5), np.log(35), rng.integers(0, 12))))[::-1]
        for z in places:
            u = rng.normal(0, 1.5 * self.path)
            draw = (self.box, self.box, self.tree, self.post, self.figure)[rng.integers(5)]
            draw(self.place + self.heading * z + self.curve * z**2 / 2 + u, float(z))

    def upright(self, x, z):
        """Coordinates on a board that stands at x, z: to the right of its middle, and up from the ground."""
        return self.x * z - x, 1 - self.y * z

    def under(self, right, up, half, z):
        """The shadow under a thing."""
        dark = np.exp(-((right / half) ** 4) - (up / 0.12) ** 2) * (self.depth > z - 0.5)
        self.image *= (1 - self.rng.uniform(0.3, 0.8) * dark)[..., None]

    def box(self, x, z):
        """Something on the ground with a body, a smaller upper part and sometimes wheels."""
        rng = self.rng
        half, height = rng.uniform(0.3, 1.4), rng.uniform(0.4, 1.8)
        right, up = self.upright(x, z)
        self.under(right, up, half * 1.1, z)
        waist = rng.uniform(0.45, 1)
        slope = np.clip((up / height - waist) / (1.001 - waist), 0, 1) * rng.uniform(0, 0.5)
        body = (np.abs(right) < half * (1 - slope)) & (up > rng.uniform(0, 0.12)) & (up < height)
        near = self.depth > z
        self.cover(body, np.float32(z), THING, self.colour(), right * 3, up * 3, np.float32(3 * z / self.focal), 0.15)
        band = (up > waist * height) & (up < 0.92 * height) & (np.abs(right) < half * 0.85)
        self.image[body & near & band] *= rng.uniform(0.2, 1.2)
        if rng.random() < 0.6:
            radius = rng.uniform(0.1, 0.2)
            for side in (-1, 1):
                wheel = np.hypot(right - side * half * 0.7, up - radius) < radius
                self.paint(wheel, np.float32(z - 1e-3), THING, self.colour((0.1, 0.1, 0.1)))

    def tree(self, x, z):
        rng = self.rng
        right, up = self.upright(x, z)
        trunk, radius = rng.uniform(0.2, 2), rng.uniform(0.4, 2)
        self.under(right, up, radius, z)
        stem = (np.abs(right) < rng.uniform(0.04, 0.15)) & (up > 0) & (up < trunk + radius)
        self.paint(stem, np.float32(z), POLE, self.colour((0.3, 0.22, 0.15)))
        leaves = look_up(self.noise, right * 14 + 30, up * 14 + 60)
        crown = np.hypot(right, (up - trunk - radius) / rng.uniform(0.7, 1.6)) < radius * (0.7 + 0.6 * leaves)
        base = self.colour((0.2, 0.38, 0.15), (0.35, 0.45, 0.2), (0.5, 0.4, 0.15))
        self.cover(crown & (up > 0), np.float32(z - 1e-3), FOLIAGE, base, right, up, np.float32(z / self.focal), 0.9)

    def post(self, x, z):
        rng = self.rng
        right, up = self.upright(x, z)
        height = rng.uniform(0.6, 5)
        colour = self.colour((0.35, 0.35, 0.38))
        self.paint((np.abs(right) < rng.uniform(0.03, 0.1)) & (up > 0) & (up < height), np.float32(z), POLE, colour)
        if rng.random() < 0.5:  # a board or a lamp on top
            board = np.abs(right - rng.uniform(-0.3, 0.3)) < rng.uniform(0.1, 0.5)
            board &= np.abs(up - height) < rng.uniform(0.05, 0.4)
            self.paint(board, np.float32(z - 1e-3), POLE, self.colour())

    def figure(self, x, z):
        """Head, body and legs."""
        rng = self.rng
        right, up = self.upright(x, z)
        height = rng.uniform(0.8, 1.3)
        self.under(right, up, 0.3, z)
        for bottom, top, half in ((0.0, 0.5, 0.11), (0.42, 0.85, 0.16), (0.84, 1.0, 0.08)):
            part = (up > bottom * height) & (up < top * height) & (np.abs(right) < half * rng.uniform(0.8, 1.5))
            self.paint(part, np.float32(z - 1e-3 * bottom), THING, self.colour())

    # --- the camera ---

    def finished(self):
        """Light, haze, colour cast, blur and noise of a camera."""
        rng = self.rng
        if rng.random() < 0.5:
            haze = 1 - np.exp(-self.depth * rng.uniform(0, 0.03))
            self.image += haze[..., None] * (rng.uniform(0.5, 1) - self.image)
        image = np.clip(self.image * rng.uniform(0.9, 1.1, 3).astype(np.float32) * rng.uniform(0.5, 1.2), 0, 1)
        grey = image.mean(axis=2, keepdims=True)
        image = grey + (image - grey) * rng.uniform(0.2, 1.2)
        image = np.clip(image, 1e-3, 1) ** rng.uniform(0.6, 1.6)
        if rng.random() < 0.7:
            image = blur(image.astype(np.float32), rng.uniform(0, 0.3))
        image += rng.normal(0, rng.uniform(0, 0.05), image.shape).astype(np.float32)
        return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)


def _middle(u):
    """How far from the middle of its cell, 0 to 0.5."""
    return np.abs(u - np.floor(u) - 0.5)
