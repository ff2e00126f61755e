"""What stands in a drawn place: cars, boxes, trees, posts and figures."""

import numpy as np

from fcn_keras.datasets.drawn.canvas import look_up
from fcn_keras.datasets.drawn.world_canvas import FOLIAGE, POLE, THING, to_middle


def things(world):
    """A few things on the path and beside it, the farthest first."""
    rng = world.rng
    places = np.sort(np.exp(rng.uniform(np.log(1.5), np.log(35), rng.integers(0, 12))))[::-1]
    for z in places:
        u = rng.normal(0, 1.5 * world.path)
        if rng.random() < 0.25:
            car(world, u, float(z))
            continue
        draw = (box, tree, post, figure)[rng.integers(4)]
        draw(world, world.place + world.heading * z + world.curve * z**2 / 2 + u, float(z))


def parked(world, side):
    """Cars one behind the other along the path's border, the farthest first."""
    rng = world.rng
    inwards = rng.uniform(-0.6, 0.8)
    starts = np.cumsum(rng.uniform(2.6, 3.6, rng.integers(2, 10))) + rng.uniform(-5, 8)
    for start in starts[::-1]:
        if rng.random() < 0.85:
            car(world, side * (world.path - inwards) + rng.normal(0, 0.05), float(start))


def car(world, u, start):
    """A body on wheels with windows, pointing along the path: its long side and its near end."""
    rng = world.rng
    half, height = rng.uniform(0.5, 0.7), rng.uniform(0.85, 1.4)
    length, waist, clear = rng.uniform(2.2, 3.4), rng.uniform(0.55, 0.7), rng.uniform(0.1, 0.2)
    end = start + length
    usual = (
        (0.1, 0.1, 0.12),
        (0.5, 0.5, 0.55),
        (0.75, 0.75, 0.75),
        (0.2, 0.2, 0.35),
        (0.5, 0.1, 0.1),
        (0.2, 0.3, 0.25),
    )
    body, glass, shine = world.colour(*usual), rng.uniform(0.02, 0.4), rng.uniform(0.7, 1.3)
    middle = world.place + u
    right = world.x * world.z - middle - world.heading * world.z
    dark = world.below & (np.abs(right) < half * 1.1) & (world.z > start - 0.1) & (world.z < end)
    world.image[dark & (world.depth >= world.z - 0.01)] *= rng.uniform(0.1, 0.5)
    # the long side: towards the eye, if it can be seen
    facing = -np.sign(middle + world.heading * start) * half
    if abs(middle + world.heading * start) > half:
        z = world.plane(middle + facing)
        along, up = (z - start) / length, 1 - world.y * z
        roof = np.clip(np.minimum((along + 0.02) / 0.2, (1 - along) / 0.35), 0, 1)
        top = height * (waist + (1 - waist) * np.clip(2 * roof - 0.6, 0, 1))
        shape = (z > max(start, 0.3)) & (z < end) & (up > clear) & (up < top)
        seen = world.paint(shape, z, THING, body * shine)
        pillars = np.abs(to_middle(along * 2.5 + 0.3) - 0.25) < 0.22
        world.image[seen & (up > waist * height) & (up < top - 0.08) & pillars] = glass
        world.image[seen & (up < clear + 0.15)] *= 0.6
        for place in (0.2, 0.8):
            wheel = np.hypot((along - place) * length, up - 0.22) < 0.22
            world.paint(wheel & (z > 0.3), z - 1e-3, THING, 0.06)
    if start > 0.5:  # the near end
        right, up = world.upright(middle + world.heading * start, start)
        narrow = half * (1 - 0.25 * np.clip((up / height - waist) / (1 - waist), 0, 1))
        seen = world.paint(
            (np.abs(right) < narrow) & (up > clear) & (up < height), np.float32(start), THING, body
        )
        world.image[
            seen & (up > waist * height) & (up < 0.93 * height) & (np.abs(right) < narrow * 0.85)
        ] = glass
        world.image[seen & (up < clear + 0.2)] *= 0.5
        lamps = (
            seen
            & (np.abs(np.abs(right) - 0.8 * half) < 0.12 * half)
            & (np.abs(up - 0.55 * waist * height - 0.15) < 0.08)
        )
        world.image[lamps] = ((0.6, 0.1, 0.1), (0.9, 0.9, 0.85))[rng.integers(2)]
        plate = seen & (np.abs(right) < 0.3 * half) & (np.abs(up - clear - 0.25) < 0.05)
        world.image[plate] = (0.85, 0.85, 0.7)
        for sign in (-1, 1):
            tyre = (
                (np.abs(right - sign * 0.8 * half) < 0.15 * half) & (up > 0) & (up < clear + 0.02)
            )
            world.paint(tyre, np.float32(start), THING, 0.05)


def box(world, x, z):
    """Something on the ground with a body, a smaller upper part and sometimes wheels."""
    rng = world.rng
    half, height = rng.uniform(0.3, 1.4), rng.uniform(0.4, 1.8)
    right, up = world.upright(x, z)
    shadow_under(world, right, up, half * 1.1, z)
    waist = rng.uniform(0.45, 1)
    slope = np.clip((up / height - waist) / (1.001 - waist), 0, 1) * rng.uniform(0, 0.5)
    body = (np.abs(right) < half * (1 - slope)) & (up > rng.uniform(0, 0.12)) & (up < height)
    near = world.depth > z
    world.cover(
        body,
        np.float32(z),
        THING,
        world.colour(),
        right * 3,
        up * 3,
        np.float32(3 * z / world.focal),
        0.15,
    )
    band = (up > waist * height) & (up < 0.92 * height) & (np.abs(right) < half * 0.85)
    world.image[body & near & band] *= rng.uniform(0.2, 1.2)
    if rng.random() < 0.6:
        radius = rng.uniform(0.1, 0.2)
        for side in (-1, 1):
            wheel = np.hypot(right - side * half * 0.7, up - radius) < radius
            world.paint(wheel, np.float32(z - 1e-3), THING, world.colour((0.1, 0.1, 0.1)))


def tree(world, x, z):
    """A trunk and a crown."""
    rng = world.rng
    right, up = world.upright(x, z)
    trunk, radius = rng.uniform(0.2, 2), rng.uniform(0.4, 2)
    shadow_under(world, right, up, radius, z)
    stem = (np.abs(right) < rng.uniform(0.04, 0.15)) & (up > 0) & (up < trunk + radius)
    world.paint(stem, np.float32(z), POLE, world.colour((0.3, 0.22, 0.15)))
    leaves = look_up(world.noise, right * 14 + 30, up * 14 + 60)
    crown = np.hypot(right, (up - trunk - radius) / rng.uniform(0.7, 1.6)) < radius * (
        0.7 + 0.6 * leaves
    )
    if rng.random() < 0.4:  # the sky shines through
        crown &= look_up(world.noise, right * 60 + 90, up * 60) > rng.uniform(0.3, 0.55)
    base = world.colour((0.2, 0.38, 0.15), (0.35, 0.45, 0.2), (0.5, 0.4, 0.15))
    world.cover(
        crown & (up > 0),
        np.float32(z - 1e-3),
        FOLIAGE,
        base,
        right,
        up,
        np.float32(z / world.focal),
        0.9,
    )


def post(world, x, z):
    """A post, often with a board or a lamp."""
    rng = world.rng
    right, up = world.upright(x, z)
    height = rng.uniform(0.6, 5)
    colour = world.colour((0.35, 0.35, 0.38))
    world.paint(
        (np.abs(right) < rng.uniform(0.03, 0.1)) & (up > 0) & (up < height),
        np.float32(z),
        POLE,
        colour,
    )
    if rng.random() < 0.5:  # a board or a lamp on top
        board = np.abs(right - rng.uniform(-0.3, 0.3)) < rng.uniform(0.1, 0.5)
        board &= np.abs(up - height) < rng.uniform(0.05, 0.4)
        world.paint(board, np.float32(z - 1e-3), POLE, world.colour())


def figure(world, x, z):
    """Head, body and legs."""
    rng = world.rng
    right, up = world.upright(x, z)
    height = rng.uniform(0.8, 1.3)
    shadow_under(world, right, up, 0.3, z)
    for bottom, top, half in ((0.0, 0.5, 0.11), (0.42, 0.85, 0.16), (0.84, 1.0, 0.08)):
        part = (
            (up > bottom * height)
            & (up < top * height)
            & (np.abs(right) < half * rng.uniform(0.8, 1.5))
        )
        world.paint(part, np.float32(z - 1e-3 * bottom), THING, world.colour())


def shadow_under(world, right, up, half, z):
    """The shadow under a thing."""
    dark = np.exp(-((right / half) ** 4) - (up / 0.12) ** 2) * (world.depth > z - 0.5)
    world.image *= (1 - world.rng.uniform(0.3, 0.8) * dark)[..., None]
