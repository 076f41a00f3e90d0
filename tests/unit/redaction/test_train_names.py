"""What the weights for names are trained with: gradients are those of the loss, steps go down, files are the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

from runtime.redaction.name_features import ENDINGS, NUMBERS, SHAPES, Features
from scripts.train_names import network, tagger
from scripts.train_names.__main__ import side_by_side, stored, together
from scripts.train_names.pools import noble
from scripts.train_names.texts import KINDS, templates

ROWS = 40


def batch() -> tuple[Features, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    inside = (random.random((ROWS, 1)) > 0.1).astype(np.float32)
    given = Features(
        random.integers(0, 50, ROWS), random.integers(0, SHAPES, ROWS), random.integers(0, ENDINGS, ROWS),
        random.normal(size=(ROWS, NUMBERS)).astype(np.float32),
    )  # fmt: skip
    return given, random.integers(0, 4, ROWS), inside


def test_gradients_are_those_of_the_loss() -> None:
    given, tags, inside = batch()
    model = {name: value.astype(np.float64) for name, value in tagger.new(50, 1).items()}
    _, gradients = tagger.gradient(model, given, tags, inside, None)
    assert set(gradients) == set(model)
    for name, value in model.items():
        place = np.unravel_index(np.abs(gradients[name]).argmax(), value.shape)
        losses = []
        for step in (1e-5, -1e-5):
            kept, value[place] = value[place], value[place] + step
            losses.append(tagger.gradient(model, given, tags, inside, None)[0])
            value[place] = kept
        assert np.isclose(gradients[name][place], (losses[0] - losses[1]) / 2e-5, rtol=0.02), name


def test_steps_go_down() -> None:
    given, tags, inside = batch()
    model = tagger.new(50, 1)
    optimizer = network.Adam(model, decay=0.01, clip=1.0)
    losses = []
    for _ in range(60):
        loss, gradients = tagger.gradient(model, given, tags, inside, None)
        optimizer.step(gradients, 0.01)
        losses.append(loss)
    assert losses[-1] < 0.1 * losses[0]


def test_the_same_weights_are_the_same_file() -> None:
    weights = {**tagger.new(5, 1), "rows": np.ones((4, 2), dtype=np.float32)}
    lists = {"given": np.array([1, 2], dtype=np.uint32)}
    assert stored(weights, ["a", "b"], lists) == stored(dict(reversed(weights.items())), ["a", "b"], lists)


def test_networks_are_trained_side_by_side_and_kept_in_order() -> None:
    members = side_by_side(lambda seed: {"words": np.full((200, 300), seed), "last": np.array([seed])}, [3, 1, 2])
    assert together(members)["last"].tolist() == [[3], [1], [2]]
    assert together(members)["words"].shape == (3, 200, 300)


def test_a_training_that_fails_is_not_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EOFError):
        side_by_side(lambda seed: {"words": np.ones(1) / [1][seed]}, [0, 1])
    assert "IndexError" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("particle", "family", "expected"),
    [("de", "Lassalle", "de Lassalle"), ("de", "Iberville", "d'Iberville"), ("du", "Amours", "du Amours")],
)
def test_a_particle_is_elided_as_one_writes_it(particle: str, family: str, expected: str) -> None:
    assert noble(particle, family) == expected


@pytest.mark.parametrize("name", [*(f"{kind}.{of}" for kind in KINDS for of in ("en", "fr")), "forms.any"])
def test_templates_close_what_they_open(name: str) -> None:
    for line in templates(name):
        marks = re.findall(r"[\[\]{}]", re.sub(r"\\[\[\]{}|]", "", line))
        while "".join(marks) != (less := re.sub(r"\[\]|\{\}", "", "".join(marks))):
            marks = list(less)
        assert not marks, line
