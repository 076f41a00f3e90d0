"""Values that the map knows are found wherever they stand: as one naive search for each of them finds them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.redaction.values import NAMES, Values

words = st.text(alphabet="abA1 .-", min_size=1, max_size=7)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(words, st.sampled_from(["PERSON", "SECRET", "LITERAL"])), max_size=8),
    st.lists(words, max_size=8),
)
def test_one_pass_finds_what_many_searches_find(known: list[tuple[str, str]], parts: list[str]) -> None:
    text = "".join(parts + [value for value, _ in known[:3]])
    values = Values()
    for value, entity in known:
        values.add(value, entity)
    expected = set()
    for value, entity in known:
        if entity == "LITERAL" or len(value) < 4 or (entity in NAMES and not value[0].isupper()):
            continue
        for low in range(len(text) - len(value) + 1):
            high = low + len(value)
            inside = (value[0].isalnum() and text[low - 1 : low].isalnum()) or (
                value[-1].isalnum() and text[high : high + 1].isalnum()
            )
            if text[low:high] == value and not inside:
                expected.add((low, high, entity))
    assert set(values.within(text)) == expected
