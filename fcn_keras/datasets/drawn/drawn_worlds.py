"""Drawn places with a class for every pixel, from which `small_vgg` learns to see.

A place is a plane with a path and strips along it, between walls that run away from us, under a
sky. Cars, trees, posts and figures stand on it. `world_canvas` holds the eye and the paint;
`world_surfaces` and `world_things` paint. The material of each thing is drawn at random, with a
tendency towards what photographs show: a pavement is often as grey as the path, foliage is often
green. So the class of a pixel must be read from shape, perspective and surroundings. No picture
here is a scene of `road_scenes`, and none is made from a photograph.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn.canvas import blur
from fcn_keras.datasets.drawn.world_canvas import CLASS_NAMES, SKY, World
from fcn_keras.datasets.drawn.world_surfaces import backdrop, ground, shadows, sky, walls
from fcn_keras.datasets.drawn.world_things import parked, things
from fcn_keras.support.kinds import Count, Seed, checked
from fcn_keras.support.progress import progress

PALETTE = np.array(
    [
        (86, 180, 233),
        (240, 228, 66),
        (230, 159, 0),
        (178, 223, 138),
        (204, 121, 167),
        (0, 158, 115),
        (0, 114, 178),
        (30, 30, 30),
    ],
    np.uint8,
)


@checked
def drawn_worlds(count: Count, seed: Seed = 0) -> SegmentationData:
    """Drawn places, 128 × 160, eight classes, kept in memory (82 KB each).

    Args:
        count: Number of places; 8,000 take about three minutes on two cores.
        seed: Another seed gives other places. Place i of a seed has the same bytes for any count.

    Returns:
        `SegmentationData`.

    Raises:
        ValueError: If `count` is smaller than 1.
    """
    places = []

    def draw(index):
        return draw_world(np.random.default_rng([seed, index]))

    with progress("drawing places", count) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for place in pool.map(draw, range(count)):
            places.append(place)
            advance()
    return SegmentationData(places.__getitem__, count, CLASS_NAMES, PALETTE, "drawn places")


def draw_world(rng) -> tuple[np.ndarray, np.ndarray]:
    """One place: image uint8 `(128, 160, 3)`, labels uint8 `(128, 160)`."""
    world = World(rng)
    sky(world)
    backdrop(world)
    ground(world)
    for side in (-1, 1):
        if rng.random() < 0.8:
            walls(world, side)
    shadows(world)
    for side in (-1, 1):
        if rng.random() < 0.4:
            parked(world, side)
    things(world)
    return photographed(world), world.labels


def photographed(world):
    """The picture as a camera takes it: light, haze, colour cast, blur and noise."""
    rng = world.rng
    if rng.random() < 0.5:
        haze = 1 - np.exp(-world.depth * rng.uniform(0, 0.03))
        world.image += haze[..., None] * (rng.uniform(0.5, 1) - world.image)
    if rng.random() < 0.4:  # a bright sky, a dark ground
        light = np.where(world.labels == SKY, rng.uniform(1, 1.8), rng.uniform(0.4, 1.2))
        world.image *= light[..., None].astype(np.float32)
    exposure = rng.uniform(0.2, 0.55) / max(float(world.image.mean()), 0.02)  # the light meter
    image = np.clip(world.image * rng.uniform(0.9, 1.1, 3).astype(np.float32) * exposure, 0, 1)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * rng.uniform(0.2, 1.2)
    image = np.clip(image, 1e-3, 1) ** rng.uniform(0.6, 1.6)
    if rng.random() < 0.7:
        image = blur(image.astype(np.float32), rng.uniform(0, 0.3))
    image += rng.normal(0, rng.uniform(0, 0.03), image.shape).astype(np.float32)
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
