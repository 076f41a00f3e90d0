"""Which language's model looks for names."""

from __future__ import annotations

import pytest

from runtime.redaction.language import languages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Can you please write to Mr. Smith about the lease?", ("en",)),
        ("Pouvez-vous écrire à M. Roy au sujet du bail ?", ("fr",)),
        ("J’ai parlé à l’avocate", ("fr",)),
        ("Bonjour Sophie", ("fr",)),
        ("Hello Kevin", ("en",)),
        ("Jean Tremblay", ("en", "fr")),
        ("", ("en", "fr")),
        ("12345", ("en", "fr")),
        ("The meeting avec le client est à 10 h", ("fr",)),
    ],
)
def test_told(text: str, expected: tuple[str, ...]) -> None:
    assert languages(text) == expected
