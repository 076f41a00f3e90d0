"""The colours of `operation.css`: enough contrast for what is read (4.5) and for what is drawn (3), light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import console

CSS = (Path(console.__file__).parent / "static" / "operation.css").read_text("utf-8")
BACKGROUNDS = {":root": ("#ffffff",), ".dark": ("#0b0f19", "#1e293b")}


def colours(scope: str) -> dict[str, str]:
    block = CSS.partition(f"{scope} {{")[2].partition("}")[0]
    return dict(re.findall(r"--ops-([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scope", [":root", ".dark"])
def test_words_can_be_read_and_bars_be_seen(scope: str) -> None:
    found = colours(scope)
    for tone in ("good", "bad", "warn", "plain"):
        assert contrast(found[tone], found[f"{tone}-back"]) >= 4.5, tone
    for series in ("s0", "s1", "s2", "s3", "s4", "s5", "s7"):
        for background in BACKGROUNDS[scope]:
            assert contrast(found[series], background) >= 3, (series, background)


def test_nothing_is_loaded_from_anywhere() -> None:
    assert not re.search(r"url\(|@import|https?:", CSS)
