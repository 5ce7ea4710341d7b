"""The shipped cluster files with their placeholders filled in."""

from __future__ import annotations

from pathlib import Path

CLUSTER = Path(__file__).parents[2] / "cluster"
VALUES = {
    "ami-00000000000000000": "ami-0123456789abcdef0",
    "YOUR-BUCKET": "my-bucket",
    "YOUR-USER": "ubuntu",
    "YOUR-REGISTRY": "registry.example.org",
}


def text_of(name: str) -> str:
    """Return the content of a shipped file as a user would complete it."""
    text = (CLUSTER / f"{name}.yaml").read_text()
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    return text


def fill(name: str, folder: Path) -> Path:
    """Write the completed file into a folder."""
    path = folder / f"{name}.yaml"
    path.write_text(text_of(name))
    return path
