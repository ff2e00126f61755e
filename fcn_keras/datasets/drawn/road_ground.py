"""The ground of a drawn road scene: grass, pavements, the road, its markings, water and shadows.

Every pixel below the horizon is converted to metres first (`Ground.seen`). Then a lane marking is
"less than 7.5 cm from a line", and perspective needs no further thought.
"""

import dataclasses

import numpy as np

from fcn_keras.datasets.drawn.canvas import colours, inside, look_up, pick, smoothstep
from fcn_keras.datasets.drawn.road_things import HEIGHT, PAVEMENT, ROAD, VEGETATION, WIDTH

# fresh, used, old, worn, reddish, sandy, bluish
ASPHALT = colours("4b4d54 5f6064 74747a 8f8a82 75584f 8c7a5e 566273")
PAVING = colours("5c5e64 747474 93918c aeaaa2 85807a 9c6957")
GRASS = colours("5c8c38 477333 859442 a39152 6b6e3d")


@dataclasses.dataclass
class Road:
    """A road with centre line `x = offset + heading·z + curvature·z²/2` and its sides, in metres.

    `side` is −1 (left) or +1 (right) everywhere; dictionaries have one entry for each.
    """

    lanes: int
    lane_width: float
    heading: float
    curvature: float
    traffic: int  # +1: drives on the right, -1: on the left
    one_way: bool
    offset: float = 0.0
    pavement: dict = dataclasses.field(default_factory=dict)  # width; 0: none
    # width of the grass between road and pavement
    strip: dict = dataclasses.field(default_factory=dict)
    built: dict = dataclasses.field(default_factory=dict)  # from the road's edge to the first house
    junction: tuple | None = None  # side, nearest z and farthest z of a side road

    @property
    def half(self):
        return self.lanes * self.lane_width / 2

    def centre(self, z):
        return self.offset + self.heading * z + self.curvature * z**2 / 2

    def ahead(self, z):
        """Unit vector (x, z) along the road."""
        slope = self.heading + self.curvature * z
        return np.array((slope, 1.0)) / np.hypot(slope, 1.0)

    def beside(self, side, metres, z):
        """Ground point (x, z) so many metres outside the edge of the road."""
        return np.array((self.centre(z) + side * (self.half + metres), z))

    def lane(self, i):
        """A lane's middle, right of the centre line, and its direction (+1: away from us)."""
        u = (i + 0.5) * self.lane_width - self.half
        return u, 1 if self.one_way or u * self.traffic > -0.1 else -1


@dataclasses.dataclass
class Ground:
    """The visible ground pixel by pixel, float32: n rows, from its far end to the last row."""

    where: tuple  # slices into the canvas
    z: np.ndarray  # (n, 1) metres ahead
    x: np.ndarray  # (n, WIDTH) metres to the right
    u: np.ndarray  # (n, WIDTH) metres right of the road's centre line
    size: np.ndarray  # (n, 1) metres across one pixel

    @classmethod
    def seen(cls, camera, road):
        z = camera.ground_distance(np.arange(HEIGHT))
        first = int(np.argmax(z < camera.far()))
        z = z[first:, None].astype(np.float32)
        x = (np.arange(WIDTH, dtype=np.float32) - WIDTH / 2) * z / np.float32(camera.focal)
        u = x - road.centre(z).astype(np.float32)
        return cls((slice(first, HEIGHT), slice(0, WIDTH)), z, x, u, z / np.float32(camera.focal))


def choose_surfaces(rng):
    """Colours of grass, pavement, road and kerb that a person can tell apart where they meet."""
    while True:
        grass, paving, asphalt = (
            pick(rng, options) * rng.uniform(0.88, 1.12) + rng.normal(0, 0.02, 3).astype(np.float32)
            for options in (GRASS, PAVING, ASPHALT)
        )
        if np.abs(asphalt - grass).max() > 0.15 and np.abs(asphalt - paving).max() > 0.14:
            return grass, paving, asphalt, np.full(3, 0.92, np.float32)


def soft(distance, size):
    """Coverage of a pixel of `size` metres whose middle lies `distance` metres inside a border."""
    return np.clip(distance / size + 0.5, 0, 1)


def side_road(road, ground):
    """Metres inside the side road, negative outside; far outside everywhere if there is none."""
    if road.junction is None:
        return np.full_like(ground.u, -1e6)
    side, start, end = road.junction
    beyond = ground.u * side
    flare = 2.5 * np.clip(1 - (beyond - road.half) / 3, 0, 1) ** 2  # corners are rounded
    return np.where(beyond > 0, np.minimum(ground.z - start, end - ground.z) + flare, -1e6).astype(
        np.float32
    )


def draw_ground(view, rng, road, ground):
    """Grass, pavements, road and side road, each with its texture, and kerbs where they meet."""
    canvas, where, u, z, size = view.canvas, ground.where, ground.u, ground.z, ground.size
    grass, paving, asphalt, kerb = choose_surfaces(rng)
    near = np.clip(12 / z, 0.1, 1)  # texture fades where it is finer than a pixel
    fine = (look_up(view.noise, ground.x * 26, z * 26) - 0.5) * near
    broad = look_up(view.noise, ground.x * 5, z * 3) - 0.5
    # Only the stones in asphalt are as fine as a pixel. Roads of all colours have this texture.
    grain = (rng.random(u.shape, np.float32) - 0.5) * np.clip(30 / z, 0.45, 1)

    # Blades and clods: a few pixels large near and far, or far grass would be as smooth as a road.
    rows, columns = np.mgrid[where]
    blades = look_up(view.noise, columns * 1.7, rows * 2.9) - 0.5
    tone = 1 + 0.3 * fine + 0.3 * broad + 0.75 * blades
    canvas.paint(where, np.ones_like(u), tone[..., None] * grass, VEGETATION, z)

    slab = rng.uniform(0.20, 0.34)  # texture tells a pavement from a road of the same grey
    across, along = u / slab, z / slab
    joint = np.minimum(np.abs(across % 1 - 0.5), np.abs(along % 1 - 0.5)) * slab
    joint = smoothstep(0.035, 0.01, joint) * np.clip(1.6 - size * 14, 0, 1)
    each = look_up(view.noise, np.floor(across + 0.5) * 97, np.floor(along + 0.5) * 61) - 0.5
    tone = (1 + 0.08 * fine + 0.10 * broad + 0.55 * each - 0.6 * joint)[..., None]
    for side in (-1, 1):
        if road.pavement[side]:
            out = u * side - road.half - road.strip[side]
            canvas.paint(
                where,
                soft(np.minimum(out, road.pavement[side] - out), size),
                tone * paving,
                PAVEMENT,
                z,
            )

    # metres inside the road's border
    inner = np.maximum(road.half - np.abs(u), side_road(road, ground))
    lane = np.abs((u + road.half) / road.lane_width % 1 - 0.5) * road.lane_width
    mended = look_up(view.noise, np.floor(u * 0.8) * 37, np.floor(z * 0.16) * 59) > 0.64
    joint = smoothstep(0.12, 0.03, np.abs(z / 6 % 1 - 0.5) * 6) * np.clip(1.3 - size * 12, 0, 1)
    tone = 1 + rng.uniform(0.05, 0.15) * grain + rng.uniform(0.02, 0.12) * broad + 0.05 * fine
    tone += rng.uniform(-0.16, 0.10) * smoothstep(0.55, 0.05, np.abs(lane - 0.8))  # where tyres run
    tone -= (0.14 if rng.random() < 0.4 else 0) * mended + (
        0.18 if rng.random() < 0.25 else 0
    ) * joint
    tone -= 0.25 * smoothstep(0.5, 0.0, inner)  # dirt gathers in the gutter
    canvas.paint(where, soft(inner, size), tone[..., None] * asphalt, ROAD, z)
    # The kerb lies outside the road, and is at least a pixel wide so that it can always be seen.
    wide = np.maximum(rng.uniform(0.14, 0.18), 1.5 * size)
    rim = soft(wide / 2 - np.abs(inner + wide / 2), size)
    for side in (-1, 1):
        if road.pavement[side] and not road.strip[side]:
            canvas.paint(where, rim * (u * side > 0), kerb, PAVEMENT, z)
        else:
            canvas.paint(where, rim * (u * side > 0), kerb, VEGETATION, z)


def draw_markings(view, rng, road, ground):
    """Lines at a constant distance from the centre line, in metres on the ground."""
    u, z, size = ground.u, ground.z, ground.size
    white = rng.random() < 0.7
    paint = colours("edede6" if white else "f2c440")[0]
    worn = smoothstep(0.5, 0.8, look_up(view.noise, ground.x * 9, z * 4))
    wear = rng.uniform(0.55, 1.0) * (1 - 0.6 * worn)
    dash, period = (1.5, 3.0, 6.0)[rng.integers(3)], rng.uniform(7, 12)
    dashes = soft(dash / 2 - np.abs(z % period - period / 2), z * size)
    double, lines = rng.random() < 0.3, rng.random() < 0.85

    def line(offset, coverage):  # 0.15 m wide; where that is under a pixel, it covers it in part
        view.canvas.paint(ground.where, soft(0.075 - np.abs(u - offset), size) * coverage, paint)

    for i in range(1, road.lanes if lines else 0):
        middle = i * road.lane_width - road.half
        if double and road.lane(i - 1)[1] != road.lane(i)[1]:  # between the two directions
            line(middle - 0.12, wear)
            line(middle + 0.12, wear)
        else:
            line(middle, dashes * wear)
    if rng.random() < 0.04:  # a zebra crossing
        start = rng.uniform(7, 25)
        bars = soft(0.25 - np.abs(u % 1.0 - 0.5), size) * (np.abs(u) < road.half - 0.3)
        view.canvas.paint(
            ground.where, bars * soft(1.6 - np.abs(z - start - 1.6), z * size) * wear, paint
        )


def draw_wet_patches(view, rng, ground):
    """Water on the road that mirrors the sky, most of all far away, at a flat angle."""
    if rng.random() < 0.7:
        return
    image, top = view.canvas.image, ground.where[0].start
    shape = look_up(view.noise, ground.x * rng.uniform(5, 12), ground.z * rng.uniform(2, 5))
    limit = rng.uniform(0.40, 0.65)
    wet = smoothstep(limit, limit + 0.12, shape) * (view.canvas.labels[ground.where] == ROAD)
    mirror = np.clip(2 * int(view.camera.horizon) - np.arange(top, HEIGHT), 0, top)
    sky = image[mirror, ::8].mean(axis=1, keepdims=True)  # (n, 1, 3)
    strength = rng.uniform(0.2, 0.4) * np.clip(0.45 + ground.z / 60, 0, 1)
    view.canvas.paint(ground.where, wet * strength, 0.75 * sky + 0.25 * image[ground.where])


def darken(view, ground, corners, strength, blurred=0.3):
    """A shadow on the ground: a convex polygon of corners (x, z), blurred by some metres."""
    corners = np.asarray(corners, float)
    z = ground.z[:, 0]
    rows = np.flatnonzero((z > corners[:, 1].min() - 0.5) & (z < corners[:, 1].max() + 0.5))
    if rows.size == 0 or strength <= 0:
        return
    rows, left, right = slice(rows[0], rows[-1] + 1), 0, WIDTH
    if corners[:, 1].min() > 1:  # columns depend on x / z alone, so the corners bound them
        column, _ = view.camera.project(corners[:, 0], 0, corners[:, 1])
        left, right = np.clip((column.min() - 9, column.max() + 9), 0, WIDTH).astype(int)
    if left < right:
        dark = np.clip(
            inside(corners, ground.x[rows, left:right], ground.z[rows]) / blurred + 0.5, 0, 1
        )
        part = view.canvas.image[ground.where][rows, left:right]
        # the sky's light still arrives, and it is blue
        blue_stays = np.float32(strength) * np.array((1.0, 0.95, 0.85), np.float32)
        part *= 1 - dark[..., None] * blue_stays


def cast_shadow(view, ground, points, height):
    """The shadow of an upright thing, `height` metres high, on the ground points `(n, 2)`."""
    if view.light.sun > 0:
        points = np.concatenate([points, points + height * view.light.shadow])
        darken(view, ground, hull(points), 0.6 * view.light.sun)


def hull(points):
    """The corners of the convex hull of `(n, 2)` points (Andrew's monotone chain)."""

    def chain(points):
        kept = []
        for x, y in points:
            while len(kept) > 1:
                (x0, y0), (x1, y1) = kept[-2:]
                if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                    break
                kept.pop()  # it is not outside the line from its neighbour to the new point
            kept.append((x, y))
        return kept[:-1]

    points = sorted(map(tuple, points))
    return chain(points) + chain(points[::-1])
