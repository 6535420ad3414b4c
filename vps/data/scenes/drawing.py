"""Drawing for synthetic scenes: anti-aliased outlines, textures, backgrounds, camera noise.

Colours are float32 RGB in 0..255; a mask is float32 in [0, 1], the share of a pixel covered.
"""

from __future__ import annotations

import colorsys
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Hue, saturation and value, each with the half-width of its jitter.
COLOURS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((0.0, 0.015), (0.85, 0.12), (0.80, 0.15)),
    "orange": ((0.075, 0.015), (0.9, 0.1), (0.95, 0.05)),
    "yellow": ((0.15, 0.015), (0.85, 0.12), (0.95, 0.05)),
    "green": ((0.34, 0.04), (0.75, 0.15), (0.60, 0.18)),
    "blue": ((0.61, 0.03), (0.80, 0.15), (0.75, 0.18)),
    "purple": ((0.78, 0.03), (0.65, 0.15), (0.60, 0.15)),
}

_SUPERSAMPLING = 3


def named_colour(name: str, rng: np.random.Generator) -> np.ndarray:
    """One shade, (3,), of a colour of COLOURS."""
    hue, saturation, value = (
        centre + rng.uniform(-1, 1) * jitter for centre, jitter in COLOURS[name]
    )
    rgb = colorsys.hsv_to_rgb(hue % 1, min(saturation, 1.0), min(value, 1.0))
    return np.array(rgb, dtype=np.float32) * 255


def dull_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour, (3,), of little saturation, as of walls, soil and cloth."""
    rgb = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0, 0.35), rng.uniform(0.25, 0.95))
    return np.array(rgb, dtype=np.float32) * 255


def outline(kind: str) -> np.ndarray:
    """The outline of a shape as points (P, 2), x and y in [-1, 1], y down."""
    if kind in ("circle", "ring", "disc", "plate"):
        return _regular(48)
    if kind == "ellipse":
        return _regular(48) * (1.0, 0.55)
    if kind == "square":
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.88
    if kind == "bar":
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (1.0, 0.24)
    if kind == "pool":
        angles = 2 * np.pi * np.arange(64) / 64
        corner = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return np.sign(corner) * np.abs(corner) ** 0.35
    if kind == "triangle":
        return _regular(3) * (1.05, 1.05) + (0, 0.2)
    if kind == "hexagon":
        return _regular(6)
    if kind == "star":
        points = _regular(10)
        points[1::2] *= 0.42
        return points
    if kind == "cross":
        arm = 0.32
        quarter = np.array([[-arm, -1], [arm, -1], [arm, -arm]])
        turn = np.array([[0, -1], [1, 0]])
        corners = [quarter]
        for _ in range(3):
            corners.append(corners[-1] @ turn.T)
        return np.concatenate(corners)
    if kind == "half":
        return np.concatenate([_regular(48)[:13], _regular(48)[36:]]) + (-0.3, 0)
    raise KeyError(kind)


def _regular(corners: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.sin(angles), -np.cos(angles)], axis=1)


def shape_mask(kind: str, radius: float, angle: float, stretch: float = 1.0) -> np.ndarray:
    """The mask (n, n) of a shape of a radius in pixels, turned by an angle in radians.

    `stretch` makes the outline wider than high before it is turned.
    """
    reach = radius * 1.3 * max(1.0, stretch)
    side = 2 * int(np.ceil(reach)) + 1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = _SUPERSAMPLING
    points = outline(kind) * (radius * stretch, radius) @ turn.T
    canvas = Image.new("L", (side * scale, side * scale))
    draw = ImageDraw.Draw(canvas)
    draw.polygon([tuple(point) for point in (points + side / 2) * scale], fill=255)
    if kind == "ring":
        draw.polygon([tuple(point) for point in (points * 0.55 + side / 2) * scale], fill=0)
    return np.asarray(canvas.reduce(scale), dtype=np.float32) / 255


def smooth_noise(
    shape: tuple[int, int], cells: int, rng: np.random.Generator, channels: int = 1
) -> np.ndarray:
    """Noise (h, w, channels) of unit amplitude whose grain is about 1 / cells of the width."""
    planes = []
    for _ in range(channels):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        plane = Image.fromarray(coarse).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
        planes.append(np.asarray(plane))
    return np.stack(planes, axis=-1)


def stripes(shape: tuple[int, int], period: float, angle: float) -> np.ndarray:
    """A sine (h, w, 1) in [-1, 1] of a period in pixels, its crests turned by an angle."""
    rate = 2 * math.pi / period
    y = np.arange(shape[0], dtype=np.float32)[:, None] * (rate * math.cos(angle))
    x = np.arange(shape[1], dtype=np.float32) * (rate * math.sin(angle))
    return np.sin(x + y)[..., None]


def background(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A textured background (h, w, 3): a gradient, blotches, and stripes, tiles or grain."""
    first, second = dull_colour(rng), dull_colour(rng)
    ramp = stripes(shape, 4 * max(shape), rng.uniform(0, np.pi)) / 2 + 0.5
    canvas = first * (1 - ramp) + second * ramp
    canvas += smooth_noise(shape, 5, rng, channels=3) * rng.uniform(2, 14)
    texture = rng.choice(["plain", "grain", "stripes", "tiles"])
    strength = rng.uniform(3, 16)
    if texture == "grain":
        canvas += smooth_noise(shape, 48, rng) * strength
    elif texture == "stripes":
        canvas += stripes(shape, rng.uniform(8, 50), rng.uniform(0, np.pi)) * strength
    elif texture == "tiles":
        period = rng.uniform(16, 60)
        rows, columns = (stripes(shape, period, angle) > 0 for angle in (0.0, np.pi / 2))
        canvas += (rows ^ columns) * strength
    return canvas.astype(np.float32)


def waves(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Water (h, w, 3): white crests, wavering, on blue."""
    height, width = shape
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)
    period, sway = max(height / rng.uniform(4, 6), 5.0), width / rng.uniform(3, 6)
    phase = 2 * np.pi * y / period + 1.6 * np.sin(2 * np.pi * x / sway + rng.uniform(0, 6))
    crest = (np.sin(phase)[..., None] / 2 + 0.5) ** 2
    deep = np.array([30, 90, 150], np.float32) + rng.uniform(-15, 15, 3).astype(np.float32)
    return deep + (np.array([205, 230, 240], np.float32) - deep) * crest


def surface(shape: tuple[int, int], colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The surface (h, w, 3) of an object: its colour, shaded, and at times striped or mottled."""
    light = stripes(shape, 4 * max(shape), rng.uniform(0, np.pi)) * rng.uniform(0, 30)
    texture = rng.choice(["plain", "plain", "stripes", "mottled"])
    if texture == "stripes":
        light = light + stripes(shape, rng.uniform(5, 14), rng.uniform(0, np.pi)) * 18
    elif texture == "mottled":
        light = light + smooth_noise(shape, 10, rng) * 14
    return np.asarray(colour + light, dtype=np.float32)


def blend(canvas: np.ndarray, patch: np.ndarray, mask: np.ndarray, x: int, y: int) -> np.ndarray:
    """Lay a patch (h, w, 3) with its mask (h, w) on the canvas, in place, top-left at (x, y).

    Returns:
        The part of the mask that lies on the canvas; its own corner is (max(x, 0), max(y, 0)).
    """
    height, width = canvas.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    inside = (slice(top - y, bottom - y), slice(left - x, right - x))
    cover = mask[inside][..., None]
    region = canvas[top:bottom, left:right]
    region += (patch[inside] - region) * cover
    return mask[inside]


def camera(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of a scene: exposure, vignette, blur, sensor noise; uint8 (h, w, 3)."""
    height, width = canvas.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)
    vignette = 1 - rng.uniform(0, 0.125) * (x**2 + y**2)[..., None]
    exposed = canvas * (vignette * rng.uniform(0.8, 1.15)) + rng.uniform(-12, 12)
    exposed += rng.standard_normal(canvas.shape, dtype=np.float32) * rng.uniform(2, 12)
    photo = Image.fromarray(np.clip(exposed, 0, 255).astype(np.uint8))
    blur = rng.uniform(0, 1.0)
    return np.asarray(photo.filter(ImageFilter.GaussianBlur(blur)) if blur > 0.4 else photo)
