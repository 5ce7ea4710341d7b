"""A matrix as a small PNG in diverging colours, written with the standard library alone."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from gx2c.data.brain import FloatArray

# Blue, near white, brown: told apart in every common colour blindness, equal steps in lightness
STOPS = (
    (0.000, (8, 48, 93)),
    (0.220, (47, 116, 171)),
    (0.400, (150, 196, 222)),
    (0.500, (247, 245, 240)),
    (0.600, (235, 190, 150)),
    (0.780, (190, 96, 47)),
    (1.000, (96, 28, 10)),
)
N_COLOURS = 255  # index 127 is zero; 255 is "no value", transparent
LEAST_PIXELS = 480


def colours() -> FloatArray:
    """Return the scale from low to high, (255, 3), 0 to 255."""
    places = np.linspace(0.0, 1.0, N_COLOURS)
    anchors = [stop for stop, _ in STOPS]
    columns = [np.interp(places, anchors, [rgb[c] for _, rgb in STOPS]) for c in range(3)]
    return np.stack(columns, axis=1)


def heatmap_uri(values: FloatArray, limit: float) -> str:
    """Return a picture of a matrix as a data URI.

    Parameters
    ----------
    values
        (n_rows, n_columns); not finite is drawn transparent.
    limit
        The value of the last colour; minus it, of the first. Values beyond are drawn as these.
    """
    half = (N_COLOURS - 1) / 2
    with np.errstate(invalid="ignore"):
        place = np.rint(np.clip(values / limit, -1.0, 1.0) * half + half)
    index = np.where(np.isfinite(values), place, 255).astype(np.uint8)
    # Enlarged here, since not every reader of SVG honours `image-rendering: pixelated`
    factor = max(1, LEAST_PIXELS // max(index.shape))
    return _uri(index.repeat(factor, axis=0).repeat(factor, axis=1))


def scale_uri() -> str:
    """Return the colour scale, lowest value at the left, as a data URI."""
    return _uri(np.arange(N_COLOURS, dtype=np.uint8)[None, :].repeat(8, axis=0))


def _uri(index: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(index)).decode("ascii")


def _png(index: np.ndarray) -> bytes:
    """Write palette indices (uint8) as a PNG: header, palette, transparency, pixels, end."""
    height, width = index.shape
    palette = np.vstack([np.rint(colours()), [[128, 128, 128]]]).astype(np.uint8).tobytes()
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), index]).tobytes()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"tRNS", b"\xff" * N_COLOURS + b"\x00"),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
