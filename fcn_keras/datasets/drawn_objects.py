"""Pictures with a class each, drawn with NumPy: what `small_vgg` learns to see before it sees a road.

The lecture starts from VGG16, which learnt on a million photographs (ImageNet) to name the thing in a picture.
A package that ships no photographs makes the same move at a small scale: it draws textures (bricks, grass-like
strokes, clouds, tiles ...) and figures (a disc, a ladder, a box on wheels, a stick man ...), and an encoder
learns to name them (`fcn_keras.pretraining`). No picture here is a road scene.

A *texture* is a function `(rng, u, v, sharp) -> field` in 0-1; `u, v` count periods of the pattern, `sharp`
pixels in a period. A *figure* is a function `(rng, x, y) -> [signed distance, ...]`, one for each part, in units
of the figure's half size, negative inside, `y` pointing down. Colours, contrast, light, blur, noise, place,
angle and size are random and say nothing of the class: it must be read from shape and texture.
"""

import numpy as np

SIZE = 64  # height and width of a picture
Y, X = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2).astype(np.float32)  # pixels from the centre
FREQ_Y, FREQ_X = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.rfftfreq(SIZE), indexing="ij")  # cycles per pixel
TAU = 2 * np.pi


# --- small tools ------------------------------------------------------------------------------------------

def between(rng, low, high, log=False):
    """A random number from `low` to `high`; `log`: as many small as large ones."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))) if log else rng.uniform(low, high))


def soft(distance, sharp):
    """An edge one pixel wide: 0 where `distance` is well below 0, 1 well above. `sharp`: pixels per unit."""
    return np.clip(distance * sharp + 0.5, 0, 1)


def turned(x, y, angle):
    """Coordinates seen from axes turned by `angle` (radians)."""
    c, s = np.cos(angle), np.sin(angle)
    return c * x + s * y, c * y - s * x


def cell(u):
    """The whole part of `u`, and the signed distance (-0.5 to 0.5) from the middle of its cell."""
    whole = np.floor(u)
    return whole, u - whole - 0.5


def per_cell(rng, *indices):
    """A random number in 0-1 for each cell of a grid, looked up by the cells' whole-numbered indices."""
    table = rng.random((32, 32), dtype=np.float32)
    i, j = (np.asarray(index).astype(np.int32) % 32 for index in indices)
    return table[i, j]


def noise(rng, weight):
    """Noise (SIZE, SIZE), mean 0, deviation 1, whose Fourier amplitudes follow `weight(frequency_y, frequency_x)`."""
    angle = rng.uniform(0, np.pi)
    fx, fy = turned(FREQ_X, FREQ_Y, angle)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE), dtype=np.float32)) * weight(fy, fx)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE)).astype(np.float32)
    return field / (field.std() + 1e-6)


def falling(rng, slope):
    """Noise whose amplitude falls with frequency to the power `slope`: 0 is sand, 1 is rock, 2 is cloud."""
    return noise(rng, lambda fy, fx: (fx ** 2 + fy ** 2 + 1e-4) ** (-slope / 2))


def ring_band(rng, frequency):
    """Noise of one scale in all directions: blobs and labyrinths after a threshold."""
    return noise(rng, lambda fy, fx: np.exp(-((np.hypot(fx, fy) / frequency - 1) / 0.25) ** 2))


def as_field(values, contrast=0.35):
    """Noise with deviation 1 to a field in 0-1."""
    return np.clip(0.5 + contrast * values, 0, 1)


def nearest_points(rng, count):
    """For each pixel: distances (pixels) to the nearest and second nearest of `count` points, and which is nearest."""
    points = rng.uniform(-36, 36, (2, count, 1, 1)).astype(np.float32)
    distance = (Y - points[0]) ** 2 + (X - points[1]) ** 2  # (count, SIZE, SIZE)
    which = distance.argmin(axis=0)
    first = np.take_along_axis(distance, which[None], 0)
    np.put_along_axis(distance, which[None], np.inf, 0)
    return np.sqrt(first[0]), np.sqrt(distance.min(axis=0)), which


# --- textures: (rng, u, v, sharp) -> field in 0-1 ----------------------------------------------------------

def plain(rng, u, v, sharp):
    return 0.5 + 0.02 * u * between(rng, -1, 1)


def sand(rng, u, v, sharp):
    return as_field(falling(rng, between(rng, 0, 0.3)))


def rock(rng, u, v, sharp):
    return as_field(falling(rng, between(rng, 0.9, 1.2)))


def clouds(rng, u, v, sharp):
    return as_field(falling(rng, between(rng, 1.9, 2.4)))


def strokes(rng, u, v, sharp):
    """Like grass or hair: noise drawn out in one direction."""
    long = between(rng, 4, 9)
    return as_field(noise(rng, lambda fy, fx: 1 / (1 + (fy * long * 3) ** 2 + (fx * 3) ** 2)))


def blotches(rng, u, v, sharp):
    return soft(falling(rng, 1.3) + 0.3 * rng.standard_normal(), 3)


def labyrinth(rng, u, v, sharp):
    return soft(ring_band(rng, between(rng, 0.06, 0.16, log=True)), 2.5)


def cracks(rng, u, v, sharp):
    return soft(np.abs(falling(rng, 1.6)) - 0.12, 6)


def stripes(rng, u, v, sharp):
    return soft(np.abs(cell(u)[1]) - between(rng, 0.15, 0.35), sharp)


def grating(rng, u, v, sharp):
    return 0.5 + 0.5 * np.sin(TAU * u)


def sawtooth(rng, u, v, sharp):
    return u - np.floor(u)


def wood(rng, u, v, sharp):
    return 0.5 + 0.5 * np.sin(TAU * (u + between(rng, 0.4, 0.9) * falling(rng, 2.0)))


def zigzag(rng, u, v, sharp):
    return soft(np.abs(cell(u + 2 * between(rng, 0.5, 0.9) * np.abs(cell(v / 2)[1]))[1]) - 0.25, sharp)


def waves(rng, u, v, sharp):
    return soft(np.abs(cell(u + between(rng, 0.25, 0.5) * np.sin(TAU * v / 2.5))[1]) - 0.25, sharp)


def checks(rng, u, v, sharp):
    return soft(np.sin(np.pi * u) * np.sin(np.pi * v) / np.pi, sharp)


def tiles(rng, u, v, sharp):
    (i, du), (j, dv) = cell(u), cell(v)
    joint = soft(0.5 - np.maximum(np.abs(du), np.abs(dv)) - 1 / sharp, sharp)
    return joint * (0.7 + 0.3 * per_cell(rng, i, j))


def bricks(rng, u, v, sharp):
    row, dv = cell(v)
    column, du = cell(u / 2 + 0.5 * (row % 2))
    joint = soft(0.5 - np.maximum(np.abs(du) * 2 - 0.5, np.abs(dv)) - 1 / sharp, sharp)
    return joint * (0.5 + 0.5 * per_cell(rng, row, column))


def windows(rng, u, v, sharp):
    """Rectangles in rows on a wall, some lit."""
    (i, du), (j, dv) = cell(u), cell(v / between(rng, 1.1, 1.7))
    pane = soft(between(rng, 0.2, 0.33) - np.maximum(np.abs(du), np.abs(dv)), sharp)
    return 0.7 - pane * (0.7 - 0.6 * (per_cell(rng, i, j) > 0.7))


def plaid(rng, u, v, sharp):
    width = between(rng, 0.15, 0.3)
    return 0.5 * soft(np.abs(cell(u)[1]) - width, sharp) + 0.5 * soft(np.abs(cell(v)[1]) - width, sharp)


def weave(rng, u, v, sharp):
    (i, du), (j, dv) = cell(u), cell(v)
    over = (i + j) % 2
    return np.where(over == 0, np.cos(np.pi * du) * (np.abs(dv) < 0.36), np.cos(np.pi * dv) * (np.abs(du) < 0.36))


def dot_grid(rng, u, v, sharp):
    return soft(between(rng, 0.2, 0.34) - np.hypot(cell(u)[1], cell(v)[1]), sharp)


def ring_grid(rng, u, v, sharp):
    return soft(0.09 - np.abs(np.hypot(cell(u)[1], cell(v)[1]) - 0.32), sharp)


def plus_grid(rng, u, v, sharp):
    a, b = np.abs(cell(u)[1]), np.abs(cell(v)[1])
    return soft(np.minimum(0.11 - np.minimum(a, b), 0.36 - np.maximum(a, b)), sharp)


def triangles(rng, u, v, sharp):
    return soft(np.abs(cell(u)[1]) - 0.25 + cell(v)[1] / 2, sharp)


def scales(rng, u, v, sharp):
    """Like fish scales or roof tiles: rows of overlapping arcs."""
    row, dv = cell(v)
    du = cell(u / 1.6 + 0.5 * (row % 2))[1] * 1.6
    arc = np.hypot(du, dv + 0.5)
    return np.clip(1.2 - arc, 0, 1) * np.where(arc < 0.95, 1, 0.4)


def rain(rng, u, v, sharp):
    """Short scratches, all in about one direction or in any."""
    count = 40
    cy, cx = rng.uniform(-32, 32, (2, count, 1, 1)).astype(np.float32)
    angle = rng.uniform(0, TAU) + rng.choice([0.1, 2.0]) * rng.standard_normal((count, 1, 1))
    along, across = turned(X - cx, Y - cy, angle.astype(np.float32))
    return soft(1.0 - np.maximum(np.abs(across), np.abs(along) - 7), 0.8).max(axis=0)


def mosaic(rng, u, v, sharp):
    count = int(between(rng, 14, 50, log=True))
    return rng.random(count, dtype=np.float32)[nearest_points(rng, count)[2]]


def cobbles(rng, u, v, sharp):
    first, second, _ = nearest_points(rng, int(between(rng, 20, 60, log=True)))
    return soft(second - first - 1.5, 0.6) * (0.75 + 0.25 * np.cos(first / 6))


def spots(rng, u, v, sharp):
    first, _, _ = nearest_points(rng, int(between(rng, 20, 60, log=True)))
    return soft(between(rng, 2, 3.5) - first, 1)


def leaves(rng, u, v, sharp):
    """Dead leaves: ellipses of many sizes, each hiding those below it, like foliage seen from near."""
    count = 64
    cy, cx = rng.uniform(-36, 36, (2, count, 1, 1)).astype(np.float32)
    along, across = turned(X - cx, Y - cy, rng.uniform(0, TAU, (count, 1, 1)).astype(np.float32))
    radius = (between(rng, 5, 9) * rng.uniform(0.5, 1.5, (count, 1, 1))).astype(np.float32)
    inside = along ** 2 + (2 * across) ** 2 < radius ** 2
    top = np.where(inside.any(axis=0), inside.argmax(axis=0), count)
    return np.append(rng.random(count, dtype=np.float32), np.float32(0))[top]


# --- figures: (rng, x, y) -> list of signed distances, negative inside, y down ------------------------------

def box(x, y, cx, cy, half_width, half_height):
    return np.maximum(np.abs(x - cx) - half_width, np.abs(y - cy) - half_height)


def ball(x, y, cx, cy, radius):
    return np.hypot(x - cx, y - cy) - radius


def stick(x, y, x0, y0, x1, y1, half_width=0.08):
    """A line from (x0, y0) to (x1, y1) with round ends."""
    dx, dy = x1 - x0, y1 - y0
    t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - x0 - t * dx, y - y0 - t * dy) - half_width


def union(*parts):
    return np.minimum.reduce(parts)


def sides(x, y, count):
    """A regular polygon: the largest of its half planes."""
    angles = TAU * np.arange(count).reshape(-1, 1, 1) / count
    return (np.sin(angles) * x - np.cos(angles) * y).max(axis=0) - 0.8


def disc(rng, x, y):
    return [ball(x, y, 0, 0, 0.9)]


def ring(rng, x, y):
    return [np.abs(np.hypot(x, y) - 0.75) - between(rng, 0.1, 0.2)]


def square(rng, x, y):
    return [box(x, y, 0, 0, 0.8, 0.8)]


def frame(rng, x, y):
    return [np.abs(box(x, y, 0, 0, 0.75, 0.75)) - between(rng, 0.1, 0.18)]


def bar(rng, x, y):
    return [box(x, y, 0, 0, between(rng, 0.12, 0.25), 1)]


def triangle(rng, x, y):
    return [sides(x, y - 0.2, 3) + 0.2]


def hexagon(rng, x, y):
    return [sides(x, y, 6)]


def star(rng, x, y):
    angle = np.arctan2(y, x) * 5 / TAU
    return [np.hypot(x, y) - 1 + 1.1 * np.abs(cell(angle)[1])]


def flower(rng, x, y):
    petals = np.hypot(x, y) - 0.7 - 0.25 * np.cos(rng.integers(5, 8) * np.arctan2(y, x))
    return [petals, ball(x, y, 0, 0, 0.25)]


def cross(rng, x, y):
    width = between(rng, 0.15, 0.25)
    return [union(box(x, y, 0, 0, width, 0.95), box(x, y, 0, 0, 0.95, width))]


def crescent(rng, x, y):
    return [np.maximum(ball(x, y, 0, 0, 0.9), -ball(x, y, between(rng, 0.35, 0.55), 0, 0.8))]


def arrow(rng, x, y):
    head = np.maximum(np.abs(x) - (y + 1) * 0.7, y + 0.1)
    return [union(head, box(x, y, 0, 0.4, 0.18, 0.55))]


def spiral(rng, x, y):
    radius = np.hypot(x, y)
    turns = cell(radius * 2.5 - np.arctan2(y, x) / TAU)[1] / 2.5
    return [np.maximum(np.abs(turns) - 0.1, radius - 1)]


def target(rng, x, y):
    return [np.maximum(np.abs(cell(np.hypot(x, y) * 2.5)[1]) / 2.5 - 0.1, np.hypot(x, y) - 1)]


def rays(rng, x, y):
    angle = cell(np.arctan2(y, x) / TAU * 8)[1]
    return [np.maximum(np.hypot(x, y) * (np.abs(angle) - 0.22) * 0.7, np.hypot(x, y) - 1.2)]


def ladder(rng, x, y):
    rungs = [box(x, y, 0, cy, 0.35, 0.06) for cy in np.linspace(-0.75, 0.75, rng.integers(4, 6))]
    return [union(box(x, y, -0.38, 0, 0.07, 1), box(x, y, 0.38, 0, 0.07, 1), *rungs)]


def fence(rng, x, y):
    posts = np.maximum(np.abs(cell(x * 3)[1]) / 3 - 0.06, np.maximum(np.abs(y) - 0.55, np.abs(x) - 1.1))
    return [union(posts, box(x, y, 0, -0.25, 1.1, 0.07), box(x, y, 0, 0.25, 1.1, 0.07))]


def stick_man(rng, x, y):
    arm, leg = between(rng, -0.5, 0.3), between(rng, 0.2, 0.5)
    limbs = [stick(x, y, 0, -0.4, 0, 0.25), stick(x, y, 0, 0.25, -leg, 1), stick(x, y, 0, 0.25, leg, 1),
             stick(x, y, 0, -0.25, -0.5, arm), stick(x, y, 0, -0.25, 0.5, -arm)]
    return [union(*limbs), ball(x, y, 0, -0.68, 0.25)]


def cart(rng, x, y):
    """A box on two wheels."""
    return [box(x, y, 0, -0.1, 1, between(rng, 0.3, 0.5)), ball(x, y, -0.6, 0.45, 0.25), ball(x, y, 0.6, 0.45, 0.25)]


def hut(rng, x, y):
    """A triangle on a box, with a door."""
    roof = np.maximum(np.abs(x) - 1.05 * (y + 1), y + 0.05)
    return [box(x, y, 0, 0.4, 0.75, 0.5), roof, box(x, y, between(rng, -0.4, 0.4), 0.6, 0.15, 0.3)]


def lollipop(rng, x, y):
    """A disc on a pole."""
    return [box(x, y, 0, 0.3, 0.07, 0.7), ball(x, y, 0, -0.5, 0.45)]


def bush(rng, x, y):
    """A crown of blobs on a trunk."""
    blobs = [ball(x, y, cx, cy, 0.35) for cx, cy in rng.uniform((-0.5, -0.8), (0.5, 0), (7, 2))]
    return [box(x, y, 0, 0.5, 0.12, 0.5), union(*blobs)]


def pines(rng, x, y):
    """Three triangles on top of each other."""
    return [union(*(np.maximum(np.abs(x) - 0.8 * (y - top), y - top - 0.7) for top in (-1, -0.55, -0.1)),
                  box(x, y, 0, 0.8, 0.12, 0.3))]


def table(rng, x, y):
    return [union(box(x, y, 0, -0.3, 1, 0.1), box(x, y, -0.75, 0.25, 0.09, 0.5), box(x, y, 0.75, 0.25, 0.09, 0.5))]


def arch(rng, x, y):
    wall = box(x, y, 0, 0, 0.8, 0.9)
    return [np.maximum(wall, -union(ball(x, y, 0, 0, 0.42), box(x, y, 0, 0.6, 0.42, 0.6)))]


def steps(rng, x, y):
    return [union(*(box(x, y, 0.25 * k, 1 - 0.25 * k - 0.125, 1 - 0.25 * k, 0.14) for k in range(4)))]


def wedge(rng, x, y):
    """A strip that narrows with distance: the shadow of perspective."""
    return [np.maximum(np.abs(x) - 0.45 * (y + 1.1), np.abs(y) - 1)]


def dumbbell(rng, x, y):
    return [union(ball(x, y, -0.65, 0, 0.35), ball(x, y, 0.65, 0, 0.35), box(x, y, 0, 0, 0.6, 0.1))]


def blob(rng, x, y):
    """A potato; as a class it is asked for its colour."""
    angle, phase = np.arctan2(y, x), rng.uniform(0, TAU, 3)
    bumps = sum(np.cos(k * angle + phase[k - 1]) * between(rng, 0, 0.3 / k) for k in (1, 2, 3))
    return [np.hypot(x, y) - 0.75 - bumps]


TEXTURES = (plain, sand, rock, clouds, strokes, blotches, labyrinth, cracks, stripes, grating, sawtooth, wood, zigzag,
            waves, checks, tiles, bricks, windows, plaid, weave, dot_grid, ring_grid, plus_grid, triangles, scales,
            rain, mosaic, cobbles, spots, leaves)
FIGURES = (disc, ring, square, frame, bar, triangle, hexagon, star, flower, cross, crescent, arrow, spiral, target,
           rays, ladder, fence, stick_man, cart, hut, lollipop, bush, pines, table, arch, steps, wedge, dumbbell)
# Blobs are named by their colour: an encoder that never needs colour forgets it, and a road is grey, a lawn green.
# For each name: hue in degrees, saturation and value in 0-1, from and to
COLOURS = {
    "black": ((0, 360), (0.0, 0.3), (0.02, 0.2)), "grey": ((0, 360), (0.0, 0.12), (0.35, 0.65)),
    "white": ((0, 360), (0.0, 0.12), (0.85, 1.0)), "red": ((-10, 10), (0.6, 1.0), (0.4, 1.0)),
    "brown": ((20, 38), (0.5, 0.9), (0.25, 0.5)), "yellow": ((45, 62), (0.5, 1.0), (0.7, 1.0)),
    "green": ((85, 150), (0.35, 1.0), (0.25, 0.9)), "blue": ((200, 235), (0.4, 1.0), (0.4, 1.0)),
    "purple": ((275, 320), (0.4, 1.0), (0.4, 1.0)),
}  # fmt: skip
CLASS_NAMES = tuple(function.__name__ for function in TEXTURES + FIGURES) + tuple(f"{c}_blob" for c in COLOURS)


# --- from fields and distances to a picture -----------------------------------------------------------------

def random_colour(rng):
    """RGB, 0-255; often nearly grey, as most of the world is."""
    grey = rng.uniform(20, 235)
    return np.clip(grey + rng.uniform(-1, 1, 3) * rng.choice([12, 60, 130]), 0, 255).astype(np.float32)


def named_colour(rng, name):
    """RGB, 0-255, of a colour with that name."""
    hue, saturation, value = (between(rng, *limits) for limits in COLOURS[name])
    k = (np.array([5.0, 3.0, 1.0]) + hue / 60) % 6  # the usual formula from HSV to RGB
    return (255 * value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))).astype(np.float32)


def two_colours(rng, least):
    """Two colours at least `least` apart (root of summed squares)."""
    first = random_colour(rng)
    for _ in range(8):
        second = random_colour(rng)
        if np.linalg.norm(second - first) >= least:
            break
    return first, second


def texture_field(rng, texture):
    """The field (SIZE, SIZE) of a texture seen at a random scale and angle, sometimes bent or lying down."""
    period = between(rng, 5, 20, log=True)  # pixels
    u, v = turned(X, Y, rng.choice([0, between(rng, -0.2, 0.2), between(rng, 0, np.pi)]))
    if rng.random() < 0.25:  # a ground plane: nearer, hence larger, towards the bottom
        height = between(rng, 45, 90)
        u, v = u * height / (v + height), -height * height / (v + height)
    if rng.random() < 0.25:  # uneven cloth
        bend = falling(rng, 2.5) * between(rng, 0, 0.15) * period
        u, v = u + bend, v - bend
    offset = rng.uniform(0, 8, 2)
    return texture(rng, u / period + offset[0], v / period + offset[1], period)


def paint(rng, texture, least):
    """A texture in two random colours: (SIZE, SIZE, 3), about 0-255."""
    first, second = two_colours(rng, least)
    return first + texture_field(rng, texture)[..., None] * (second - first)


def background(rng):
    """What lies behind a figure: any texture, often of little contrast."""
    picture = paint(rng, TEXTURES[rng.integers(len(TEXTURES))], 20)
    mean = picture.mean(axis=(0, 1))
    return mean + (picture - mean) * rng.choice([0.1, 0.4, 0.8])


def place(rng, figure, picture, colour_name=None):
    """Draws a figure's parts over a picture, each in a colour that differs from what lies below it, or that is named."""
    size = between(rng, 11, 27, log=True)  # half size, pixels
    room = max(4.0, 34 - size)
    cx, cy = rng.uniform(-room, room, 2)
    angle = rng.normal(0, 0.15) if rng.random() < 0.8 else rng.uniform(0, TAU)
    x, y = turned((X - cx) / size, (Y - cy) / size, angle)
    x = x * between(rng, 0.85, 1.2) * rng.choice([-1, 1])
    for distance in figure(rng, x, y):
        coverage = soft(-distance, size)
        below = (picture * coverage[..., None]).sum(axis=(0, 1)) / max(coverage.sum(), 1)
        for _ in range(8):
            colour = named_colour(rng, colour_name) if colour_name else random_colour(rng)
            if np.linalg.norm(colour - below) > 60:
                break
        fill = colour
        if rng.random() < 0.3:
            field = texture_field(rng, TEXTURES[rng.integers(len(TEXTURES))])
            fill = colour + (field[..., None] - 0.5) * rng.uniform(-60, 60, 3)
        picture = picture + coverage[..., None] * (fill - picture)
    return picture


def patch(rng, picture):
    """Sometimes a texture fills only one side of the picture, and something plain the other."""
    if rng.random() < 0.35:
        u, _ = turned(X, Y, rng.uniform(0, TAU))
        beyond = soft(u - between(rng, 4, 20), 1)[..., None]
        picture = picture + beyond * (paint(rng, plain, 0) - picture)
    return picture


def finish(rng, picture):
    """Light that falls from one side, blur, and the noise of a camera; uint8."""
    u, _ = turned(X, Y, rng.uniform(0, TAU))
    picture = picture * (1 + u / 45 * between(rng, 0, 0.35))[..., None]
    if rng.random() < 0.3:
        padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        picture = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    grain = rng.standard_normal((SIZE, SIZE, 1), dtype=np.float32) * between(rng, 0.5, 14, log=True)
    return np.clip(picture + grain + 0.5, 0, 255).astype(np.uint8)


def draw_picture(index: int, seed: int = 0):
    """Draws one picture; the same `(index, seed)` gives the same bytes, whatever was drawn before.

    Args:
        index: Which picture, 0 or more. Classes take turns, so any run of pictures is balanced.
        seed: Which endless series of pictures, 0 or more.

    Returns:
        `(image, label)`: uint8 `(64, 64, 3)`, RGB 0-255, and the place of its class in `CLASS_NAMES`.

    Raises:
        ValueError: If `index` or `seed` is negative.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"Expected index and seed of 0 or more. Received: index={index}, seed={seed}")
    rng = np.random.default_rng([seed, index])
    label = index % len(CLASS_NAMES)
    if label < len(TEXTURES):
        picture = patch(rng, paint(rng, TEXTURES[label], 35))
    elif label < len(TEXTURES) + len(FIGURES):
        picture = place(rng, FIGURES[label - len(TEXTURES)], background(rng))
    else:
        picture = place(rng, blob, background(rng), list(COLOURS)[label - len(TEXTURES) - len(FIGURES)])
    return finish(rng, picture), label


def draw_pictures(count: int, seed: int = 0, start: int = 0):
    """Draws pictures `start` to `start + count - 1` of a series.

    Returns:
        `(images, labels)`: uint8 `(count, 64, 64, 3)` and int32 `(count,)`.

    Raises:
        ValueError: If `count`, `seed` or `start` is negative.
    """
    if count < 0:
        raise ValueError(f"Expected count of 0 or more. Received: count={count}")
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    labels = np.empty(count, np.int32)
    for i in range(count):
        images[i], labels[i] = draw_picture(start + i, seed)
    return images, labels
