"""What a drawn place consists of: sky, backdrop, ground with its path, rows of walls, shadows."""

import numpy as np

from fcn_keras.datasets.drawn.canvas import look_up, smoothstep
from fcn_keras.datasets.drawn.world_canvas import (
    COLUMNS,
    EDGE,
    FAR,
    FOLIAGE,
    GROUND,
    PATH,
    ROWS,
    WALL,
    to_middle,
)


def sky(world):
    """A gradient, and often clouds."""
    rng = world.rng
    top, low = (
        world.colour((0.35, 0.55, 0.9), (0.8, 0.82, 0.85)),
        world.colour((0.85, 0.9, 0.95), (0.9, 0.9, 0.9)),
    )
    share = smoothstep(-0.9, 0.0, world.y)[..., None]
    world.image[:] = top * (1 - share) + low * share
    if rng.random() < 0.6:
        clouds = look_up(world.noise, COLUMNS * rng.uniform(0.3, 1), ROWS * rng.uniform(0.5, 2))
        world.image += (rng.uniform(0, 0.4) * smoothstep(0.4, 0.8, clouds))[..., None]


def backdrop(world):
    """Far hills, trees or houses: a line above the horizon."""
    rng = world.rng
    for _ in range(rng.integers(0, 3)):
        line = look_up(
            world.noise, COLUMNS * rng.uniform(0.2, 1.5), np.full_like(ROWS, rng.uniform(0, 200))
        )
        label = FOLIAGE if rng.random() < 0.6 else WALL
        if label == WALL:  # houses have flat roofs
            line = np.round(line * rng.integers(3, 7)) / 5
        top = -rng.uniform(0.02, 0.3) * line
        base = (
            world.colour((0.2, 0.35, 0.15), (0.3, 0.35, 0.2))
            if label == FOLIAGE
            else world.colour()
        )
        world.cover(
            (world.y > top) & (world.y < 0.02),
            FAR - 1,
            label,
            base,
            COLUMNS / 20,
            ROWS / 20,
            np.float32(0.05),
        )


def ground(world):
    """The plane to stand on: ground, the path, strips along its edges, lines and kerbs."""
    rng = world.rng
    below, z = world.below, world.z
    x = world.x * z
    u = x - world.place - world.heading * z - world.curve * z**2 / 2  # right of the path's middle
    size = z / world.focal
    usual = ((0.4, 0.5, 0.25), (0.5, 0.45, 0.35), (0.45, 0.45, 0.45))
    world.cover(below, z, GROUND, world.colour(*usual), x, z, size, rng.uniform(0.2, 0.8))
    base = world.colour((0.3, 0.3, 0.32), (0.45, 0.45, 0.45), (0.55, 0.5, 0.42))
    edges = {side: rng.choice([0.0, rng.uniform(0.3, 3)], p=[0.3, 0.7]) for side in (-1, 1)}
    for side, width in edges.items():  # often hardly another colour than the path
        like = (
            base * rng.uniform(0.75, 1.35) * rng.uniform(0.96, 1.04, 3)
            if rng.random() < 0.6
            else world.colour()
        )
        inside = (u * side > 0) & (u * side < world.path + width)
        world.cover(below & inside, z - 1e-3, EDGE, like, u, z, size)
    on_path = below & (np.abs(u) < world.path)
    if rng.random() < 0.25:  # another path crosses, on one side or on both
        side, far = rng.choice([-1, 0, 1]), 2 + rng.exponential(8)
        on_path |= below & (np.abs(z - far) < rng.uniform(0.8, 3)) & (u * side >= 0)
    if rng.random() < 0.15:  # an island
        middle, far, long = (
            rng.uniform(-0.5, 0.5) * world.path,
            2 + rng.exponential(5),
            rng.uniform(0.5, 4),
        )
        on_path &= (np.abs(u - middle) > rng.uniform(0.1, 0.5)) | (np.abs(z - far) > long)
        like = base * rng.uniform(0.6, 1.6)
        world.cover(below & ~on_path & (np.abs(u) < world.path), z - 2e-3, EDGE, like, u, z, size)
    world.cover(on_path, z - 2e-3, PATH, base, u, z, size, rng.uniform(0.02, 0.35))
    worn(world, on_path, u, z)
    for side in (-1, 1):
        if rng.random() < 0.7:  # a kerb, a gutter or a line along the path's border
            line = below & (np.abs(u * side - world.path) < rng.uniform(0.02, 0.12))
            world.image[line] = (
                base * rng.uniform(0.5, 1.7)
                if rng.random() < 0.5
                else world.colour((0.8, 0.8, 0.8))
            )
        if rng.random() < 0.3:  # lines beside it
            for away in (rng.uniform(0.1, 0.3), rng.uniform(0.35, 0.5))[: rng.integers(1, 3)]:
                line = on_path & (np.abs(world.path - away - u * side) < rng.uniform(0.02, 0.06))
                world.image[line] = world.colour((0.9, 0.9, 0.9), (0.8, 0.7, 0.2))
    if rng.random() < 0.5:  # lines on the path, broken or not
        middle = world.path * rng.choice([0, 0, 0.33, -0.33])
        broken = np.floor(z / rng.uniform(1, 4)) % 2 == 0 if rng.random() < 0.6 else True
        line = on_path & (np.abs(u - middle) < rng.uniform(0.03, 0.1)) & broken
        world.image[line] = world.colour((0.9, 0.9, 0.9), (0.9, 0.8, 0.4))
    world.u = u  # shadows lie along the path too


def worn(world, on_path, u, z):
    """Mended patches, wheel tracks and marks on the path: still path."""
    rng = world.rng
    for _ in range(rng.integers(0, 4)):
        far, wide, long = 1 + rng.exponential(6), rng.uniform(0.1, 1), rng.uniform(0.2, 4)
        patch = (
            on_path
            & (np.abs(u - rng.uniform(-1, 1) * world.path) < wide)
            & (np.abs(z - far) < long)
        )
        world.image[patch] *= rng.uniform(0.7, 1.3)
    if rng.random() < 0.3:
        track = np.cos(u * np.pi * 2 / rng.uniform(0.8, 1.6))[on_path]
        world.image[on_path] *= (1 + rng.uniform(-0.15, 0.15) * track)[:, None]
    if rng.random() < 0.25:  # stripes across
        far, step = 1 + rng.exponential(5), rng.uniform(0.3, 0.8)
        stripes = (
            on_path & (np.abs(z - far) < rng.uniform(0.4, 1.5)) & (np.floor(u / step) % 2 == 0)
        )
        world.image[stripes] = world.colour((0.9, 0.9, 0.9))


def walls(world, side):
    """A row of walls along the path, each with its own height, material and gap to the next."""
    rng = world.rng
    away = world.path + rng.uniform(0.3, 6)  # from the path's middle
    start = rng.uniform(-3, 6)
    while start < 40:
        length = rng.uniform(2, 14)
        height = rng.uniform(0.3, 1.2) if rng.random() < 0.2 else rng.uniform(1.5, 9)
        place = away + rng.uniform(0, 0.8)
        if rng.random() < 0.85:
            wall(
                world,
                side * place,
                start,
                start + length,
                height,
                FOLIAGE if rng.random() < 0.25 else WALL,
            )
            if side == world.sun:
                cast(world, side * place, start, start + length, height)
        start += length + rng.choice([0, 0, rng.uniform(0.5, 6)])


def wall(world, u, start, end, height, label):
    """The plane x = place + heading·z + u, from start to end, and the front that looks at us."""
    rng = world.rng
    base = (
        world.colour((0.2, 0.38, 0.15), (0.35, 0.45, 0.2)) if label == FOLIAGE else world.colour()
    )
    z = world.plane(world.place + u)
    y = world.y * z  # 1 is the ground, negative above the eye
    ragged = (
        rng.uniform(0.2, 1.0) * (look_up(world.noise, z * 12, y * 12 + 7) - 0.5)
        if label == FOLIAGE
        else 0
    )
    shape = (z > max(start, 0.3)) & (z < end) & (y < 1) & (y > 1 - height + ragged)
    lit = base * rng.uniform(0.9, 1) * world.shade[np.sign(u)]
    windows = label == WALL and rng.random() < 0.75
    world.cover(shape, z, label, lit, z, 1 - y, z / world.focal)
    if windows:
        facade(world, shape & (world.depth == z), z, 1 - y, height, z / world.focal)
    if start > 0.5:  # the front
        x = world.x * start
        outer = world.place + world.heading * start + u
        depth = rng.uniform(1, 8) * np.sign(u)
        y = world.y * start
        inside = (x - outer) * (outer + depth - x) > 0
        ragged = (
            rng.uniform(0.2, 1.0) * (look_up(world.noise, x * 12, y * 12) - 0.5)
            if label == FOLIAGE
            else 0
        )
        shape = inside & (y < 1) & (y > 1 - height + ragged)
        world.cover(
            shape, np.float32(start), label, base, x, 1 - y, np.float32(start / world.focal)
        )
        if windows:
            facade(
                world,
                shape & (world.depth == np.float32(start)),
                x,
                1 - y,
                height,
                np.float32(start / world.focal),
            )


def facade(world, where, along, up, height, size):
    """Windows in storeys, and often another ground floor, painted over a wall."""
    rng = world.rng
    storey, step = rng.uniform(1.3, 2.4), rng.uniform(0.6, 2.2)
    along, up, size = along[where], up[where], np.broadcast_to(size, up.shape)[where]
    if not along.size:
        return
    part = world.image[where]
    raised = up - rng.uniform(0, 0.6)
    wide, tall = rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.4)
    glass = (to_middle(along / step) < wide) & (to_middle(raised / storey) < tall)
    frame = (
        (to_middle(along / step) < wide + 0.06)
        & (to_middle(raised / storey) < tall + 0.05)
        & ~glass
    )
    fades = np.clip(0.25 * step / (size + 1e-6), 0, 1)[:, None]
    pane = look_up(
        world.noise, 37 * np.floor(along / step + 0.5), 53 * np.floor(raised / storey + 0.5)
    )[:, None]
    shine = world.colour((0.15, 0.15, 0.17), (0.1, 0.1, 0.1), (0.5, 0.55, 0.6)) * (0.4 + 1.2 * pane)
    part = np.where(glass[:, None], part + fades * (shine - part), part)
    part = np.where(frame[:, None], part + fades * rng.uniform(-0.3, 0.6), part)
    if rng.random() < 0.5:  # shops: dark openings, a band above them
        top = rng.uniform(1.2, 2)
        base, opening = world.colour(), to_middle(along / (2 * step)) < rng.uniform(0.2, 0.45)
        shop = base * np.where(opening, rng.uniform(0.1, 0.6), 1)[:, None]
        sign = world.colour((0.7, 0.1, 0.1), (0.1, 0.2, 0.5), (0.9, 0.9, 0.85), (0.1, 0.1, 0.1))
        part = np.where((up < top)[:, None], np.where((up > top - 0.3)[:, None], sign, shop), part)
    if rng.random() < 0.5:  # a cornice
        part = np.where(
            (np.abs(up - height * 0.97) < 0.08)[:, None], part * rng.uniform(0.5, 1.5), part
        )
    world.image[where] = part


def cast(world, u, start, end, height):
    """The shadow of a wall on what lies, away from the sun."""
    away = (world.u - u) * -np.sign(u)  # from the wall towards the other side
    shape = (
        world.below
        & (world.z > start)
        & (world.z < end)
        & (away > 0)
        & (away < world.shadow * height)
    )
    world.in_shadow |= shape


def shadows(world):
    """Dark patches on what lies, and what the walls cast."""
    rng = world.rng
    if rng.random() < 0.5:
        patches = look_up(world.noise, world.u * rng.uniform(2, 12), world.z * rng.uniform(1, 8))
        dark = smoothstep(0, 0.1, patches - rng.uniform(0.35, 0.7)) * rng.uniform(0.2, 0.6)
    else:
        dark = 0
    lies = np.isin(world.labels, (PATH, EDGE, GROUND))
    dark = np.maximum(dark, world.dark * world.in_shadow)
    world.image *= np.where(lies, 1 - dark, 1)[..., None].astype(np.float32)
