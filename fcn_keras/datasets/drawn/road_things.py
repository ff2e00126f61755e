"""What stands along a drawn road, and the camera that sees it: houses, trees, poles and cars.

Each `draw_...` takes a `View` and a place on the ground in metres: x to the right of the camera, z
ahead of it. Sizes are in metres too, so perspective needs no further thought. Callers draw far
things first.
"""

import dataclasses

import numpy as np

from fcn_keras.datasets.drawn.canvas import Canvas, colours, look_up, pick

HEIGHT, WIDTH = 160, 576
CLASS_NAMES = ("sky", "building", "vegetation", "road", "pavement", "car", "pole")
SKY, BUILDING, VEGETATION, ROAD, PAVEMENT, CAR, POLE = range(7)

FAR = 75.0  # metres; the ground ends here at the latest, hills stand behind it
NEAR = 2.5  # metres; nothing is drawn that comes closer to the camera

LEAVES = colours("386b2e 528033 29573d b37329 737830")
WALLS = colours("d6c9b0 bdbdba 85878c a8614d dba878 666b75 abbac2 998f80")
ROOFS = colours("944736 575254 755747 6b737d")
PAINTS = colours("cc2120 244d9e ebebe8 d9622b b8c4d6 edb329 2e8c6c 8c2f6b")


@dataclasses.dataclass
class Camera:
    """A pinhole camera above the ground. Its pitch is given by where the horizon lies.

    Attributes:
        focal: Focal length in pixels.
        height: Metres above the ground.
        horizon: Row of everything at the camera's own height.
        rise: The ground at distance z is `rise * z**2` metres high; positive: uphill, negative: a
            crest.
    """

    focal: float
    height: float
    horizon: float
    rise: float

    def project(self, x, y, z):
        """Column and row of a point x metres to the right, y above the ground, z ahead."""
        column = WIDTH / 2 + self.focal * x / z
        row = self.horizon + self.focal * (self.height - self.rise * z**2 - y) / z
        return column, row

    def ground_distance(self, rows):
        """Distance z of the ground seen in each row: `project` solved for z, or NaN."""
        below = rows - self.horizon
        with np.errstate(invalid="ignore", divide="ignore"):  # roots of negative numbers are NaN
            root = np.sqrt(below**2 + 4 * self.rise * self.focal**2 * self.height)
            z = 2 * self.focal * self.height / (below + root)
        return np.where(z > 0, z, np.nan)

    def far(self):
        """How far the ground is seen: to a crest, or to `FAR`."""
        return min(FAR, 0.95 * (self.height / -self.rise) ** 0.5) if self.rise < 0 else FAR


@dataclasses.dataclass
class Light:
    """Colours are float32 `(3,)`, 0-1."""

    zenith: np.ndarray  # sky above
    horizon: np.ndarray  # sky at the horizon, also the colour of haze
    tint: np.ndarray  # multiplies the colour of everything but the sky
    sun: float  # how dark shadows are; 0: no sun
    shadow: np.ndarray  # (x, z), metres of shadow for each metre of height
    lamps: float  # share of lit windows; above 0.25, street lamps and cars' lights are on too
    haze: float  # metres after which 1 − 1/e of a thing's colour is haze

    @property
    def to_sun(self):
        return -self.shadow / np.hypot(*self.shadow)

    def on(self, normal):
        """Brightness of an upright face whose normal is `(x, z)`: brighter towards the sun."""
        return float(0.86 + 0.5 * self.sun * (normal @ self.to_sun))


@dataclasses.dataclass
class View:
    """All that a drawing function needs to know."""

    camera: Camera
    light: Light
    noise: np.ndarray  # (256, 256), a tile for every texture
    canvas: Canvas

    def at(self, point, y):
        """Column and row of the place y metres above a ground point (x, z)."""
        return self.camera.project(point[0], y, point[1])


def draw_building(view, rng, p, q, out):
    """A house whose front runs from p (near) to q; `out` is the unit vector away from the road."""
    storeys = int(rng.choice((1, 2, 3, 4, 6), p=(0.15, 0.35, 0.25, 0.15, 0.10)))
    height, deep = 3.0 * storeys + rng.uniform(0.4, 1.0), rng.uniform(7, 12)
    colour, roof = pick(rng, WALLS) * rng.uniform(0.85, 1.1), pick(rng, ROOFS)
    windows = (
        rng.uniform(2.2, 4.0),
        rng.uniform(0.16, 0.32),
        int(rng.integers(256)),
        rng.uniform(0.2, 0.85),
    )
    top = height + deep * rng.uniform(0.28, 0.45) if storeys < 4 and rng.random() < 0.75 else None
    p_back, q_back = p + deep * out, q + deep * out
    ahead = (q - p) / np.hypot(*(q - p))
    if min(c[1] for c in (p, q, p_back, q_back)) < NEAR:
        return
    ridge = []
    if top:  # a roof with its ridge along the street
        eaves = [view.at(a - 0.3 * out, height) for a in (p, q)]
        ridge = [view.at(a + deep / 2 * out, top) for a in (q, p)]
        view.canvas.polygon(eaves + ridge, roof * view.light.on(-out), BUILDING, (p[1] + q[1]) / 2)
    if ahead @ p > 0:  # the end wall looks at us
        draw_wall(view, p, p_back, height, colour * view.light.on(-ahead), windows)
        if top:
            gable = [view.at(p, height - 0.05), view.at(p_back, height - 0.05), ridge[1]]
            view.canvas.polygon(gable, colour * view.light.on(-ahead), BUILDING, p[1])
    if out @ p > 0:
        draw_wall(view, p, q, height, colour * view.light.on(-out), windows)


def draw_wall(view, p, q, height, colour, windows):
    """An upright rectangle between the ground points p and q with rows of windows.

    Args:
        windows: Metres from one to the next; half a window's width as a share of that; a random
            whole number that makes windows differ; brightness of the frames.
    """
    camera, light = view.camera, view.light
    (px, pz), (qx, qz) = p, q
    level = camera.rise * ((pz + qz) / 2) ** 2  # floors are level, whatever the ground does
    corners = [view.at(p, -0.3), view.at(q, -0.3)]
    corners += [camera.project(x, height + level - camera.rise * z**2, z) for x, z in (q, p)]
    spacing, half, number, trim = windows
    bays = max(1, round(np.hypot(qx - px, qz - pz) / spacing))

    def facade(columns, rows):
        """The colour of each pixel: its line of sight meets the wall in some bay and storey."""
        k = (columns - WIDTH / 2) / camera.focal  # sideways for each metre ahead
        turn = k * (qz - pz) - (qx - px)
        # 0 at p, 1 at q
        s = np.clip((px - k * pz) / np.where(np.abs(turn) < 1e-6, 1e-6, turn), 0, 1)
        z = pz + s * (qz - pz)
        # metres above the floor
        y = camera.height - level - (rows - camera.horizon) * z / camera.focal
        tone = (1 - 0.25 * np.exp(-np.maximum(y, 0) / 0.5)) * np.where(y > height - 0.35, 0.8, 1.0)
        across, up = s * bays, y / 3.0
        # blocks of 0.4 x 0.2 metres, each second course shifted by half a block
        courses = np.floor(y / 0.2)
        blocks = np.floor(across * spacing / 0.4 + 0.5 * (courses % 2))
        tone = tone * (1 + 0.5 * (look_up(view.noise, blocks * 53, courses * 71) - 0.5))
        picture = tone[..., None].astype(np.float32) * colour
        # far windows melt into the wall
        clear = np.clip(spacing * camera.focal / z / 5 - 0.4, 0, 1)
        clear = clear * (up < np.floor((height - 0.3) / 3.0))
        door = (np.floor(across) == number % bays) & (up < 0.7)
        which = look_up(view.noise, np.floor(across) * 41 + number, np.floor(up) * 67)
        lamp = (which < 0.15 + 0.5 * light.lamps) & (light.lamps > 0.15)
        glass = (0.20 + 0.35 * which)[..., None] * (0.4 * light.horizon + 0.5)
        glass = np.where(
            lamp[..., None], np.array((1.0, 0.78, 0.42), np.float32) / light.tint, glass
        )
        size = z / camera.focal  # metres across one pixel
        # metres inside the window's left and right border
        sideways = (half - np.abs(across % 1 - 0.5)) * spacing
        upright = np.where(door, 2.2 - y, (0.30 - np.abs(up % 1 - 0.55)) * 3.0)
        for wider, paint in ((0.18, trim), (0.0, glass)):
            cover = clear * np.clip(np.minimum(sideways, upright) / size + wider / size + 0.5, 0, 1)
            picture += cover[..., None] * (paint - picture)
        return picture.astype(np.float32)

    view.canvas.polygon(corners, facade, BUILDING, (pz + qz) / 2)


def draw_tree(view, rng, at, height, kind, colour):
    """A trunk and a crown: overlapping leafy discs, or a conifer's three skirts, lit by the sun."""
    canvas, z = view.canvas, at[1]
    scale = view.camera.focal / z * height  # pixels for the whole height
    column, foot = view.at(at, 0)
    sunny = float(view.light.to_sun[0])

    def spot(right, up):
        return column + right * scale, foot - up * scale

    trunk = [spot(-0.035, 0), spot(0.035, 0), spot(0.02, 0.4), spot(-0.02, 0.4)]
    canvas.polygon(trunk, (0.30, 0.22, 0.16), VEGETATION, z)
    if kind == "cone":
        for i in range(3):
            low, high, wide = 0.12 + 0.24 * i, 0.55 + 0.225 * i, 0.21 - 0.05 * i
            skirt = [spot(-wide, low), spot(wide, low), spot(0, high)]
            canvas.polygon(skirt, colour * (0.72 + 0.13 * i), VEGETATION, z)
            canvas.polygon(
                [spot(0, low), spot(sunny * wide, low), spot(0, high)], colour * (0.85 + 0.15 * i)
            )
        return
    for _ in range(3 if scale < 45 else 6):
        angle, away, radius = (
            rng.uniform(0, 2 * np.pi),
            rng.uniform(0.05, 0.20),
            rng.uniform(0.14, 0.22) * scale,
        )
        x, y = spot(away * np.cos(angle), 0.66 + 0.8 * away * np.sin(angle))
        found = canvas.box(x - 1.2 * radius, y - 1.2 * radius, x + 1.2 * radius, y + 1.2 * radius)
        if found is None:
            continue
        where, columns, rows = found
        dx, dy = (
            (columns - np.float32(x)) / np.float32(radius),
            (rows - np.float32(y)) / np.float32(radius),
        )
        leaves = look_up(view.noise, columns * (60 / scale) + 3 * x, rows * (60 / scale)) - 0.5
        coverage = np.clip(
            (1 - np.sqrt(dx**2 + dy**2) + 0.45 * leaves) * np.float32(radius) + 0.5, 0, 1
        )
        tone = 0.88 - 0.20 * dy + 0.16 * sunny * dx + 0.45 * leaves
        canvas.paint(where, coverage, tone[..., None] * colour, VEGETATION, z)


def draw_pole(view, rng, at, inward, kind):
    """A lamp post ("lamp"), a telegraph pole ("wood") or a "sign", at most three pixels wide."""
    canvas, z = view.canvas, at[1]
    scale = view.camera.focal / z  # pixels per metre
    column, foot = view.at(at, 0)
    wide = int(np.clip(round(0.14 * scale), 1, 3))
    height, paint = {
        "lamp": (7.0, (0.36, 0.39, 0.40)),
        "wood": (8.0, (0.36, 0.28, 0.21)),
        "sign": (2.9, (0.66, 0.67, 0.69)),
    }[kind]
    left, top, foot = round(column - wide / 2), int(foot - height * scale), int(foot) + 1

    def bar(left, top, right, bottom, paint):
        # whole pixels: a soft edge would halve a line one pixel wide
        found = canvas.box(left, top, right - 1, bottom - 1)
        if found is not None:
            where, columns, rows = found
            canvas.paint(where, np.ones((rows.size, columns.size), np.float32), paint, POLE, z)

    bar(left, top, left + wide, foot, paint)
    if kind == "lamp":
        end = left + round(1.6 * scale) * inward
        bar(min(left, end), top, max(left, end) + 1, top + min(wide, 2), paint)
        lit = (
            np.array((1.0, 0.9, 0.6)) / view.light.tint
            if view.light.lamps > 0.25
            else (0.85, 0.86, 0.85)
        )
        bar(
            end - int(0.3 * scale),
            top + 1,
            end + int(0.3 * scale) + 1,
            top + 2 + int(0.12 * scale),
            lit,
        )
    elif kind == "wood":
        arm = top + int(0.5 * scale)
        bar(left - int(0.9 * scale), arm, left + int(0.9 * scale) + wide, arm + min(wide, 2), paint)
    else:
        turn = np.arange(corners := int(rng.choice((3, 4, 12)))) * 2 * np.pi / corners - np.pi / 2
        plate = 0.36 * scale * np.stack([np.cos(turn), np.sin(turn)], 1)
        middle = (left + wide / 2 - 0.5, top + 0.1 * scale)
        canvas.polygon(middle + plate, pick(rng, colours("cc1a1a 1a4db3")), POLE, z)
        canvas.polygon(middle + 0.6 * plate, (0.95, 0.95, 0.93), POLE, z)


CAR_SIZES = {  # length, width, height
    "hatch": (3.9, 1.75, 1.48),
    "sedan": (4.6, 1.82, 1.42),
    "van": (5.2, 2.0, 2.3),
    "truck": (8.0, 2.4, 3.2),
}
# left, front, right, rear, top
SIDES = ((0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7))
CIRCLE = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], 1)


def draw_car(view, at, ahead, kind, colour):
    """A car of boxes with glass, wheels and lamps. It stands at `at` and points along `ahead`."""
    length, width, height = CAR_SIZES[kind]
    h, w, z = length / 2, width / 2, at[1]
    right = np.array((ahead[1], -ahead[0]))
    if z - h < NEAR:
        return
    light, canvas = view.light, view.canvas
    scale = view.camera.focal / z  # pixels per metre: small cars get no small parts
    shades = [light.on(normal) - 0.06 for normal in (-right, ahead, right, -ahead)] + [1.08]

    def project(points):
        """Column and row `(n, 2)` of points: metres along the car, to its right, and up."""
        along, across, up = np.asarray(points, float).T
        x, far = (at[i] + along * ahead[i] + across * right[i] for i in (0, 1))
        return np.stack(view.camera.project(x, up, far), 1)

    def plate(a, b0, b1, y0, y1):
        """The corners of an upright rectangle across the car."""
        return project([(a, b0, y0), (a, b1, y0), (a, b1, y1), (a, b0, y1)])

    def box(bottom, top, paint, glass=False):
        """Fills the visible faces of a box between two rectangles (rear, front, half width, y)."""
        points = [
            (a, b, y) for r, f, s, y in (bottom, top) for a, b in ((r, -s), (f, -s), (f, s), (r, s))
        ]
        points = project(points)
        for face, shade in zip(SIDES, shades):
            corners = points[list(face)]
            (x0, y0), (x1, y1) = corners[2] - corners[0], corners[3] - corners[1]
            if x0 * y1 > x1 * y0:  # turns this way round only when seen from outside
                canvas.polygon(corners, paint * shade, CAR, z)
                if glass and shade is not shades[4]:
                    middle = corners.mean(0)
                    dark = np.array((0.09, 0.11, 0.14)) + 0.25 * shade * light.horizon
                    canvas.polygon(middle + 0.84 * (corners - middle), dark)

    axles = (-0.31 * length, 0.31 * length)
    for a in axles:  # the tyres, seen from behind or before
        for b in (-w, w):
            canvas.polygon(plate(a, 0.68 * b, 0.98 * b, 0, 0.6), (0.07, 0.07, 0.08), CAR, z)
    if kind == "truck":
        cab = ((h - 2.0, h, w, 0.45), (h - 2.0, h - 0.15, w, 2.5), colour, True)
        load = ((-h, h - 2.1, w, 0.6), (-h, h - 2.1, w, height), 0.5 * colour + 0.45, False)
        # the nearer one covers the other
        for bottom, top, paint, glass in (cab, load) if ahead @ at > 0 else (load, cab):
            box(bottom, top, paint, glass)
    elif kind == "van":
        box((-h, h, w, 0.26), (-h, h - 0.1, w, 1.15), colour)
        box((-h, h - 0.7, w, 1.15), (-h + 0.1, h - 1.5, 0.9 * w, height), colour, True)
    else:
        box((-h, h, w, 0.26), (-h + 0.05, h - 0.12, 0.97 * w, 0.9), colour)
        tail = -h + (0.05 if kind == "hatch" else 0.65)
        box((tail, h - 1.1, 0.94 * w, 0.9), (tail + 0.45, h - 2.0, 0.76 * w, height), colour, True)
    if scale < 6:
        return
    b = -w if right @ at > 0 else w  # the side that looks at us
    for a in axles:
        for radius, paint in ((0.34, (0.06, 0.06, 0.07)), (0.19, (0.55, 0.56, 0.58))):
            wheel = np.concatenate([radius * CIRCLE, np.full((12, 1), b)], 1)[:, [0, 2, 1]]
            canvas.polygon(project(wheel + (a, 0, 0.34)), paint, CAR, z)
    rear = ahead @ at > 0
    end = -h - 0.01 if rear else h + 0.01
    lamp = np.array((0.85, 0.08, 0.06) if rear else (1.0, 0.97, 0.85)) / (
        light.tint if light.lamps > 0.25 else 1.0
    )
    for b in (-w, w):
        canvas.polygon(plate(end, 0.62 * b, 0.93 * b, 0.62, 0.82), lamp)
    canvas.polygon(plate(end, -0.26, 0.26, 0.42, 0.56), (0.88, 0.88, 0.84))
