"""Words for what the policy, the doors and the charts may name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from console.api_overview import OWN, PERIODS, buckets
from console.settings import LANGUAGES, Language
from console.views.kinds import kind, kind_and_code, role
from console.words import Words

POLICY = yaml.safe_load((Path(__file__).parents[3] / "config" / "policies.yaml").read_text("utf-8"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_and_role_of_the_shipped_policy_has_words(lang: Language) -> None:
    words = Words(lang)
    for entity in (*POLICY["masking"]["names"], *POLICY["masking"]["identifiers"]):
        assert kind(entity, words).casefold() != entity.casefold(), entity
    for name in POLICY["roles"]:
        assert words.has(f"frame.role_{name}"), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_period_and_bucket_has_words(lang: Language) -> None:
    words = Words(lang)
    for period in (*PERIODS, OWN):
        assert words.has(f"overview.period.{period}")
        assert all(words.has(f"overview.bucket.{bucket}") for bucket in buckets(period))


def test_what_is_not_known_is_shown_as_its_code() -> None:
    words = Words("fr")
    assert kind("CODE_NAME", words) == "CODE_NAME"
    assert kind_and_code("CODE<NAME", words) == "<code>CODE&lt;NAME</code>"
    assert role("archivist", words) == "archivist"
    assert kind_and_code("CA_SIN", words).endswith(" <code>CA_SIN</code>")
