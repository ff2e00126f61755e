"""Road scenes drawn with NumPy: pictures and exact label maps, as many as wanted, with no download.

A pinhole camera looks along a road that runs uphill, downhill or level. Everything has a place on
the ground in metres, is projected by the one formula in `Camera.project`, and is painted far to
near into colours, labels and distances at once. So the labels are exact by construction.

Whatever would make the task too easy varies: bend, slope, width, position and surface of the road;
pavements and facades as grey as the road; light, shadows, wet patches, haze, blur and noise. Colour
and place alone do not find the road; `tests/data/test_road_drawing.py` measures how far they get.

The order of the random draws is part of a picture. If you change it, here or in `road_ground`,
`road_things` or `canvas`, raise `VERSION`.
"""

import operator

import numpy as np

from fcn_keras.datasets.drawn.canvas import (
    Canvas,
    blur,
    colours,
    look_up,
    pick,
    smoothstep,
    value_noise,
)
from fcn_keras.datasets.drawn.road_ground import (
    GRASS,
    Ground,
    Road,
    cast_shadow,
    darken,
    draw_ground,
    draw_markings,
    draw_wet_patches,
)
from fcn_keras.datasets.drawn.road_things import (
    BUILDING,
    CAR_SIZES,
    CLASS_NAMES,
    HEIGHT,
    LEAVES,
    PAINTS,
    VEGETATION,
    WALLS,
    WIDTH,
    Camera,
    Light,
    View,
    draw_building,
    draw_car,
    draw_pole,
    draw_tree,
)

__all__ = ["CLASS_NAMES", "HEIGHT", "PALETTE", "SPLITS", "VERSION", "WIDTH", "draw_scene"]

VERSION = 1  # part of the names of cached files
SPLITS = ("train", "val", "test")
# Okabe and Ito's colours, which people with any colour vision can tell apart. The road, the subject
# of the lecture, has the brightest one. Poles are thin, and therefore black.
PALETTE = np.array(
    [
        (86, 180, 233),  # sky: sky blue
        (204, 121, 167),  # building: reddish purple
        (0, 158, 115),  # vegetation: bluish green
        (240, 228, 66),  # road: yellow
        (230, 159, 0),  # pavement: orange
        (0, 114, 178),  # car: blue
        (0, 0, 0),  # pole: black
    ],
    np.uint8,
)
# Sky at the zenith, sky at the horizon, light on things; then brightness of the light, strength of
# the sun, share of lit windows.
MOODS = (
    (colours("3373cc b8dbf2 fffaf0"), 1.06, 0.55, 0.0),  # clear
    (colours("5c9ee0 e6ede6 fff8ec"), 1.05, 0.50, 0.0),  # fair
    (colours("85a8cc f2e3c2 fff0d2"), 1.04, 0.45, 0.0),  # warm afternoon
    (colours("a3adb8 d6dbde eef4fc"), 0.94, 0.00, 0.1),  # overcast
    (colours("576375 a8b3b5 e2f0ff"), 0.84, 0.00, 0.3),  # before rain
    (colours("3d4580 fca161 ffc4ac"), 0.84, 0.45, 0.4),  # dusk
    (colours("6b80bf fcccbd ffe0e4"), 0.92, 0.35, 0.2),  # dawn
    (colours("1a2654 7380a8 a8beff"), 0.88, 0.00, 0.7),  # blue hour
)


# ---------------------------------------------------------------------------------- choosing


def choose_light(rng):
    sky_and_light, strength, sun, lamps = MOODS[rng.integers(len(MOODS))]
    zenith, horizon, tint = sky_and_light + rng.normal(0, 0.03, (3, 3)).astype(np.float32)
    angle, slant = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 2.6)
    shadow = slant * np.array((np.cos(angle), np.sin(angle)))
    tint = (0.5 + 0.5 * tint) * np.float32(strength * rng.uniform(0.88, 1.14))
    return Light(
        zenith,
        horizon,
        tint,
        sun * rng.uniform(0.6, 1.1),
        shadow,
        lamps,
        10 ** rng.uniform(2.2, 3.2),
    )


def choose_view(rng):
    """A camera and a road, drawn again until the road covers 39-67 % of the picture."""
    while True:
        camera = Camera(
            rng.uniform(240, 420),
            rng.uniform(1.2, 2.6),
            rng.uniform(24, 60),
            rng.uniform(-4e-4, 6e-4),
        )
        lanes = int(rng.choice((1, 2, 3, 4, 5), p=(0.12, 0.40, 0.20, 0.18, 0.10)))
        # radius 1000 m to 126 m, or straight
        bend = 10 ** rng.uniform(-3.0, -2.1) if rng.random() < 0.8 else 0.0
        road = Road(
            lanes=lanes,
            lane_width=rng.uniform(2.7, 3.9) if lanes > 1 else rng.uniform(3.6, 5.5),
            heading=rng.normal(0, 0.18),
            curvature=bend if rng.random() < 0.5 else -bend,
            traffic=1 if rng.random() < 0.6 else -1,
            one_way=rng.random() < 0.25,
        )
        ours = [i for i in range(lanes) if road.lane(i)[1] == 1]
        road.offset = rng.normal(0, 0.5) - road.lane(ours[rng.integers(len(ours))])[0]
        if rng.random() < 0.5:  # seen from the road's edge, as from a lay-by
            road.offset = (1 if rng.random() < 0.5 else -1) * (road.half + rng.uniform(-1.0, 1.0))
        if 0.39 < road_share(camera, road) < 0.67:
            return camera, road


def road_share(camera, road):
    """Share of the picture that the road covers before anything stands on it."""
    z = camera.ground_distance(np.arange(HEIGHT))
    z = z[z < camera.far()]  # NaN is not less than anything
    left, right = (
        camera.project(road.centre(z) + side * road.half, 0, z)[0].clip(0, WIDTH)
        for side in (-1, 1)
    )
    return (right - left).sum() / (HEIGHT * WIDTH)


def choose_surroundings(rng, road):
    """Pavements, building lines and perhaps a side road; at least one side has a pavement."""
    sure = 1 if rng.random() < 0.5 else -1
    for side in (-1, 1):
        paved = side == sure or rng.random() < 0.9
        road.pavement[side] = rng.uniform(2.5, 8.0) if paved else 0.0
        road.strip[side] = rng.uniform(0.8, 3.0) if rng.random() < 0.1 else 0.0
        garden = 0.3 if paved and rng.random() < 0.4 else rng.uniform(2, 9)
        road.built[side] = road.pavement[side] + road.strip[side] + garden
    if rng.random() < 0.02:
        start = rng.uniform(9, 40)
        road.junction = (1 if rng.random() < 0.5 else -1, start, start + rng.uniform(5, 9))


# ---------------------------------------------------------------------------------- background


def draw_sky(view, rng, bottom):
    """Sky, clouds and perhaps the sun, down to the row `bottom`; nothing of it is seen below.

    The sky's depth stays 0, as on an empty canvas: it needs no haze, which has the sky's colour.
    """
    camera, light = view.camera, view.light
    rows = np.arange(bottom, dtype=np.float32)[:, None]  # (h, 1)
    columns = np.arange(WIDTH, dtype=np.float32)[None, :]  # (1, WIDTH)
    high = np.clip((camera.horizon - rows) / 90, 0, 1)[..., None] ** 0.8
    # (h, WIDTH, 3)
    sky = np.repeat(light.horizon + high * (light.zenith - light.horizon), WIDTH, axis=1)
    # Clouds lie in a plane above us: towards the horizon they are flatter and closer together.
    up = np.maximum(camera.horizon - rows, 3) + 14
    across, along = (columns - WIDTH / 2) * 22 / up, 4200 / up
    shape = look_up(view.noise, across + rng.uniform(0, 256), along + rng.uniform(0, 256))
    cover = rng.uniform(0.40, 0.75)
    cloud = 0.85 * smoothstep(cover, cover + 0.22, shape) * np.clip((up - 18) / 30, 0, 1)
    sky += cloud[..., None] * (0.25 * light.horizon + 0.75 * np.minimum(1, 0.95 * light.tint) - sky)
    side, ahead = light.to_sun
    if light.sun > 0 and ahead > 0.2:  # where the shadows come from
        column = WIDTH / 2 + camera.focal * side / ahead
        row = camera.horizon - camera.focal / ahead / np.hypot(*light.shadow)
        distance = np.hypot(columns - np.float32(column), rows - np.float32(row))
        glow = np.minimum(1, 0.55 * np.exp(-distance / 60) + smoothstep(11, 8, distance))[..., None]
        sky += glow * (np.array((1.0, 0.95, 0.80), np.float32) - sky)
    # `apply_light` tints everything, but the sky has its tint already
    view.canvas.image[:bottom] = sky / light.tint


def draw_hills(view, rng, bottom):
    """Ridges far to near, perhaps a distant town, and trees where the ground ends."""
    columns = np.arange(WIDTH, dtype=np.float32)
    base = min(view.camera.horizon, bottom)
    colour = 0.6 * pick(rng, LEAVES) + 0.4 * pick(rng, GRASS)

    def outline(step):  # interpolated: the tile's pixels would show as stairs against the sky
        wave = view.noise[rng.integers(len(view.noise))]
        return np.interp(
            columns * step + rng.uniform(0, len(wave)), np.arange(len(wave)), wave, period=len(wave)
        )

    for layer in range(int(rng.integers(1, 4)), 0, -1):
        ridge = rng.uniform(10, 26) * layer**0.5 * (outline(rng.uniform(0.08, 0.25)) - 0.25)
        top = base + 1 - layer * rng.uniform(4, 9) - ridge
        fill_down(
            view, top, bottom, colour * (1 - 0.06 * layer), VEGETATION, 130.0 + 350 * layer**1.5
        )
    if rng.random() < 0.5:
        width = int(rng.integers(9, 22))
        roofs = np.repeat(rng.uniform(-6, 1, WIDTH // width + 1) * rng.uniform(2, 5), width)[:WIDTH]
        fill_down(view, base + roofs, bottom, pick(rng, WALLS), BUILDING, 320.0)
    top = bottom + 1 - rng.uniform(3, 12) * (0.4 + outline(1.7))
    fill_down(view, top, bottom, 0.9 * pick(rng, LEAVES), VEGETATION, 190.0)


def fill_down(view, top, bottom, colour, label, depth):
    """Fills each column from its own `top` `(WIDTH,)` down to the row `bottom`."""
    found = view.canvas.box(0, top.min(), WIDTH, bottom + 1)
    if found is not None:
        where, _, rows = found
        below = (rows - top).astype(np.float32)
        shade = 1.08 - 0.22 * np.clip(below / 25, 0, 1)  # ridges catch the light
        view.canvas.paint(
            where, np.clip(below + 0.5, 0, 1), shade[..., None] * colour, label, depth
        )


# ---------------------------------------------------------------------------------- things


class Things:
    """What stands along the road. Shadows are painted at once, the things by `draw`."""

    def __init__(self, view, rng, road, ground):
        self.view, self.rng, self.road, self.ground = view, rng, road, ground
        self.leaf = pick(rng, LEAVES)  # trees of one scene are of one season
        self.waiting = []  # (distance, function, arguments)

    def add(self, distance, function, *arguments):
        self.waiting.append((distance, function, arguments))

    def draw(self):
        for _, function, arguments in sorted(self.waiting, key=lambda thing: -thing[0]):
            function(self.view, *arguments)

    def free(self, side, z, margin=3.0):
        """Whether there is no side road here."""
        blocked = self.road.junction and self.road.junction[0] == side
        return (
            not blocked or not self.road.junction[1] - margin < z < self.road.junction[2] + margin
        )

    def building(self, side, start, end):
        setback = self.road.built[side] + self.rng.uniform(0, 1.5)
        p, q = (self.road.beside(side, setback, z) for z in (start, end))
        ahead = (q - p) / np.hypot(*(q - p))
        out = side * np.array((ahead[1], -ahead[0]))
        cast_shadow(
            self.view,
            self.ground,
            np.stack([p, q, p + 8 * out, q + 8 * out]),
            self.rng.uniform(5, 10),
        )
        self.add(end, draw_building, self.rng, p, q, out)

    def tree(self, at, height):
        rng, light = self.rng, self.view.light
        kind = "cone" if rng.random() < 0.25 else "round"
        leaf = LEAVES[2] if kind == "cone" else self.leaf  # conifers are green in autumn too
        self.add(
            at[1],
            draw_tree,
            rng,
            at,
            height,
            kind,
            leaf * rng.uniform(0.8, 1.2) + rng.normal(0, 0.02, 3),
        )
        if light.sun > 0:
            turn = np.arange(10)[:, None] * np.pi / 5
            reach = 0.3 * height * (1 + np.hypot(*light.shadow) / 3)
            crown = (
                at
                + 0.66 * height * light.shadow
                + reach * np.concatenate([np.cos(turn), np.sin(turn)], 1)
            )
            darken(self.view, self.ground, crown, 0.5 * light.sun, 0.8)
            cast_shadow(
                self.view,
                self.ground,
                at + 0.03 * height * np.array([(-1, 0), (1, 0)]),
                0.5 * height,
            )

    def car(self, at, ahead):
        kind = ("hatch", "sedan", "van", "truck")[self.rng.choice(4, p=(0.42, 0.35, 0.17, 0.06))]
        length, width, height = CAR_SIZES[kind]
        right = np.array((ahead[1], -ahead[0]))
        corners = (
            0.5 * np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)]) * (length, width) @ (ahead, right)
            + at
        )
        cast_shadow(self.view, self.ground, corners, 0.9 * height)
        # even without sun it is dark under a car, where no light of the sky arrives
        darken(self.view, self.ground, corners, 0.65, 0.5)
        self.add(at[1], draw_car, at, ahead, kind, pick(self.rng, PAINTS))

    def line_side(self, side):
        """Houses, trees, poles and parked cars along one side."""
        rng, road, far = self.rng, self.road, self.view.camera.far()
        town = rng.uniform(0.15, 0.95)  # share of plots with a building
        z = rng.uniform(3, 8)
        while z < far - 8:
            end = min(z + rng.uniform(8, 24), far)
            if self.free(side, z) and self.free(side, end) and self.free(side, (z + end) / 2):
                if rng.random() < town:
                    self.building(side, z, end)
                else:
                    for _ in range(rng.integers(1, 4)):
                        at = road.beside(
                            side, road.built[side] + rng.uniform(1.5, 12), rng.uniform(z, end)
                        )
                        self.tree(at, rng.uniform(4, 10))
            z = end + rng.uniform(0, 6)
        if rng.random() < 0.4 and road.built[side] > 3.5:  # an avenue
            for z in np.arange(rng.uniform(6, 14), far, rng.uniform(9, 16)):
                if self.free(side, z):
                    self.tree(road.beside(side, road.built[side] - 1.2, z), rng.uniform(4.5, 6.5))
        if side == road.traffic or rng.random() < 0.5:
            kind = "lamp" if rng.random() < 0.6 else "wood"
            for z in np.arange(rng.uniform(9, 20), far, rng.uniform(20, 38)):
                self.add(
                    z,
                    draw_pole,
                    rng,
                    road.beside(side, 0.7 + 0.3 * road.strip[side], z),
                    -side,
                    kind,
                )
        if rng.random() < 0.6:
            at = road.beside(side, 0.9, rng.uniform(16, 40))
            self.add(at[1], draw_pole, rng, at, -side, "sign")
        if rng.random() < 0.20:  # parked beside the road
            z = rng.uniform(9, 25)
            for _ in range(rng.integers(1, 4)):
                if self.free(side, z, 5.0):
                    self.car(road.beside(side, 1.15, z), road.ahead(z) * side * road.traffic)
                z += rng.uniform(5.5, 9)

    def fill_road(self):
        """Traffic: fewer or more cars in each lane, and perhaps one that waits in the side road."""
        rng, road = self.rng, self.road
        density = rng.uniform(0.02, 0.10)
        for i in range(road.lanes):
            u, way = road.lane(i)
            z = rng.uniform(11, 32)
            while z < min(self.view.camera.far(), 90):
                if rng.random() < density:
                    self.car(
                        np.array((road.centre(z) + u + rng.normal(0, 0.15), z)), road.ahead(z) * way
                    )
                z += rng.uniform(9, 35)
        if road.junction and rng.random() < 0.6:
            side, start, end = road.junction
            z = (start + end) / 2 + rng.uniform(-1, 1)
            self.car(road.beside(side, rng.uniform(3.5, 8), z), np.array((-side, 0.0)))


# ---------------------------------------------------------------------------------- the picture


def apply_light(view, rng):
    """Light and haze, then what lens and sensor add: blur, vignette, noise.

    Returns:
        The picture, uint8 `(160, 576, 3)`.
    """
    canvas, light = view.canvas, view.light
    haze = 1 - np.exp(canvas.depth / np.float32(-light.haze))[..., None]
    image = canvas.image * light.tint
    image += haze * (light.horizon - image)
    image = blur(image, np.float32(rng.uniform(0.04, 0.10)))
    across = np.arange(WIDTH, dtype=np.float32)[None, :, None] / WIDTH - 0.5
    down = np.arange(HEIGHT, dtype=np.float32)[:, None, None] / HEIGHT - 0.5
    image *= 1 - np.float32(rng.uniform(0, 0.35)) * (across**2 + 0.5 * down**2)
    image += np.float32(rng.uniform(0.004, 0.010)) * rng.standard_normal(image.shape, np.float32)
    return (255 * np.clip(image, 0, 1) + 0.5).astype(np.uint8)


def draw_scene(index: int, split: str = "train", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws one scene. The same arguments give the same bytes in any process and in any order.

    Args:
        index: Number of the scene, at least 0, without an upper limit.
        split: `"train"`, `"val"` or `"test"`; no scene is in two of them.
        seed: At least 0; another seed is another data set.

    Returns:
        `(image, labels)`: uint8 `(160, 576, 3)`, RGB 0-255, and uint8 `(160, 576)`, the class of
        every pixel: a position in `CLASS_NAMES`, never void. Markings, shadows and water on the
        road are road.

    Raises:
        TypeError: If `index` or `seed` is not an integer.
        ValueError: If one of them is negative, or the split is unknown.

    Example:
        >>> image, labels = draw_scene(0)
        >>> image.shape, labels.shape
        ((160, 576, 3), (160, 576))
    """
    if split not in SPLITS:
        raise ValueError(
            f"Expected split to be one of {', '.join(map(repr, SPLITS))}. Received: split={split!r}"
        )
    for name, value in (("index", index), ("seed", seed)):
        try:
            number = operator.index(value)
        except TypeError:
            raise TypeError(
                f"Expected {name} to be an integer. Received: {name}={value!r}"
            ) from None
        if number < 0:
            raise ValueError(f"Expected {name} to be at least 0. Received: {name}={value!r}")
    rng = np.random.default_rng(
        np.random.SeedSequence([int(seed), SPLITS.index(split), int(index)])
    )
    camera, road = choose_view(rng)
    choose_surroundings(rng, road)
    view = View(camera, choose_light(rng), value_noise(rng), Canvas.empty(HEIGHT, WIDTH))
    ground = Ground.seen(camera, road)
    top = ground.where[0].start
    draw_sky(view, rng, top + 1)
    draw_hills(view, rng, top)
    draw_ground(view, rng, road, ground)
    draw_markings(view, rng, road, ground)
    draw_wet_patches(view, rng, ground)
    things = Things(view, rng, road, ground)
    for side in (-1, 1):
        things.line_side(side)
    things.fill_road()
    things.draw()
    return apply_light(view, rng), view.canvas.labels
