"""The seeds of a sweep, each of which splits the same regions into outer folds of its own."""

from gx2c.errors import UserError

MAX_SEED = 2**32 - 1
MAX_SEEDS = 100


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read seeds joined by commas, such as "1,2,3".

    Raises
    ------
    UserError
        If they are not different whole numbers, are out of range, or are too many.
    """
    parts = [part.strip() for part in text.split(",")]
    # more digits than a seed has are not worth reading
    seeds = [int(part) for part in parts if part.isdecimal() and len(part) <= len(f"{MAX_SEED}")]
    valid = len(set(seeds)) == len(parts) <= MAX_SEEDS and max(seeds) <= MAX_SEED
    if not valid:
        raise UserError(
            f"{text!r} is no list of seeds; give 1 to {MAX_SEEDS} different whole numbers from 0 "
            f"to {MAX_SEED:,}, joined by commas, such as 1,2,3"
        )
    return tuple(seeds)
