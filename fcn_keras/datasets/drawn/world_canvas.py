"""The canvas of a drawn place: an eye, a sun, materials, and the nearest thing in every pixel.

Every pixel is a ray from the eye. The nearest plane that it meets gives its class, and its
coordinates on that plane give the texture. The unit of length is the eye's height above the ground.
"""

import numpy as np

from fcn_keras.datasets.drawn.canvas import look_up, value_noise

HEIGHT, WIDTH = 128, 160
CLASS_NAMES = ("sky", "path", "edge strip", "ground", "wall", "foliage", "thing", "pole")
SKY, PATH, EDGE, GROUND, WALL, FOLIAGE, THING, POLE = range(len(CLASS_NAMES))
FAR = 60.0  # beyond this everything is backdrop
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


class World:
    """A place being painted: `world_surfaces` and `world_things` do the painting."""

    def __init__(self, rng):
        self.rng = rng
        self.noise = value_noise(
            rng, cells=tuple(2 ** np.arange(rng.integers(2, 4), rng.integers(6, 8)))
        )
        self.image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        self.labels = np.full((HEIGHT, WIDTH), SKY, np.uint8)
        self.depth = np.full((HEIGHT, WIDTH), FAR, np.float32)
        self.focal = WIDTH * rng.uniform(0.55, 1.5)
        self.horizon = HEIGHT * np.clip(rng.normal(0.45, 0.09), 0.15, 0.8)
        roll = np.radians(rng.normal(0, 1.5))
        x, y = COLUMNS - WIDTH / 2, ROWS - self.horizon
        self.x = (np.cos(roll) * x + np.sin(roll) * y) / self.focal  # of the ray, where z is 1
        self.y = (np.cos(roll) * y - np.sin(roll) * x) / self.focal  # down
        self.below = self.y > 1 / FAR
        # how far the ground is in each pixel below the horizon
        self.z = 1 / np.where(self.below, self.y, 1)
        self.heading = rng.normal(0, 0.12)
        self.curve = rng.normal(0, 0.012) * (rng.random() < 0.5)
        self.path = rng.uniform(0.8, 3.5)  # half width
        # the path's middle, to the right of the eye
        self.place = rng.uniform(-0.7, 0.7) * self.path
        self.wild = rng.choice([0.0, 0.08, 0.3])  # share of things in any colour
        self.sun = rng.choice([-1, 1])  # the side that it stands on
        # brightness of the walls on each side
        self.shade = {self.sun: rng.uniform(0.35, 1), -self.sun: rng.uniform(0.8, 1.1)}
        # length of the shadow of a height of 1
        self.shadow = rng.uniform(0.15, 2.5) if rng.random() < 0.6 else 0.0
        self.dark = rng.uniform(0.25, 0.7)  # what a cast shadow takes away
        self.in_shadow = np.zeros_like(self.below)

    def colour(self, *usual):
        """Any colour, or in most cases one near a usual one (grey if none is given)."""
        rng = self.rng
        if rng.random() < self.wild:
            return rng.random(3).astype(np.float32)
        base = np.asarray(
            usual[rng.integers(len(usual))] if usual else rng.uniform(0.15, 0.85), np.float32
        )
        return np.clip(base * rng.uniform(0.6, 1.35) + rng.normal(0, 0.04, 3), 0.02, 1).astype(
            np.float32
        )

    def material(self, u, v, size, base, strength=None):
        """Colours `(..., 3)` of a surface: noise, and often a pattern. Details under a pixel fade.

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
            edge = np.minimum(
                to_middle(du) if rng.random() < 0.8 else 1.0,
                to_middle(dv) if rng.random() < 0.8 else 1.0,
            )
            fades = np.clip(0.3 * min(across, along) / (size + 1e-6), 0, 1)
            tone += rng.uniform(-0.5, 0.5) * (edge > 0.5 - gap) * fades
        return base * (1 + tone[..., None])

    def paint(self, where, depth, label, colour):
        """Paints one colour where a mask is true and nothing nearer was painted; returns where."""
        where = where & (depth < self.depth)
        self.image[where] = colour
        self.labels[where] = label
        self.depth[where] = np.broadcast_to(depth, self.depth.shape)[where]
        return where

    def cover(self, where, depth, label, base, u, v, size, strength=None):
        """A material where a mask is true and nothing nearer was painted."""
        where = self.paint(where, depth, label, base)
        self.image[where] = self.material(
            u[where], v[where], np.broadcast_to(size, u.shape)[where], base, strength
        )

    def plane(self, right):
        """How far each ray goes to an upright plane along the path, `right` of the eye."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = right / (self.x - self.heading)
        return np.where(np.isfinite(z) & (z > 0), np.minimum(z, 10 * FAR), 10 * FAR).astype(
            np.float32
        )

    def upright(self, x, z):
        """Coordinates on a board at x, z: to the right of its middle, and up from the ground."""
        return self.x * z - x, 1 - self.y * z


def to_middle(u):
    """How far from the middle of its cell, 0 to 0.5."""
    return np.abs(u - np.floor(u) - 0.5)
