"""The canonical form, what it undoes, and that its cost is linear."""

from __future__ import annotations

import re
import unicodedata
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from policies.bundle import Bundle
from policies.guards import injection
from policies.guards.blocked_patterns import BlockedPatternsGuard
from policies.guards.injection import InjectionGuard
from policies.text import canonical as canonical_module
from policies.text.canonical import (
    MAX_GROWTH,
    MAX_HIDDEN,
    canonical,
    has_hidden_run,
    hidden_texts,
    readings,
    visible,
)
from policies.text.lookalikes import LOOKALIKES, letters_of
from policies.text.phrases import MAX_CHOICES, MAX_LETTERS, MAX_SLOTS, PhraseBook, PhraseError, compile_set

# l is read as i, and doubled letters are one.
CANONICAL = {
    "": "",
    "Hello, World!": "heio worid",
    "Élève naïf, œuvre, Straße": "eieve naif oeuvre strase",
    "Ｆｕｌｌ ｗｉｄｔｈ": "fui width",
    "z\u200be\u200dr\u00ado": "zero",
    "a\u0301\u0316b\u20dd": "ab",
    "сору": "copy",
    "ΝΟΤΕ": "note",
    "𝓼𝓬𝓻𝓲𝓹𝓽 𝔣𝔯𝔞𝔨𝔱𝔲𝔯": "script fraktur",
    "ⓒⓘⓡⓒⓛⓔⓓ 🅢🅠🅤🅐🅡🅔 🆃🅾🅾": "circied square to",
    "🇨🇦": "ca",
    "ꜱᴍᴀʟʟ ᴄᴀᴘꜱ": "smai caps",
    "ﬁnal ﬂow": "finai fiow",
    "ⅷ": "vi",
    "1 two 3": "two",
    "日本語 text": "text",
    "\ud800lone": "ione",
    "a\x00b\tc\u2028d": "a b c d",
    "Øre Łódź đ ı": "ore iodz d i",
    "\u202eabc\u202c": "abc",
}


@pytest.mark.parametrize(("text", "expected"), CANONICAL.items(), ids=[repr(text) for text in CANONICAL])
def test_canonical(text: str, expected: str) -> None:
    assert canonical(text) == expected


LEET = {"1gn0r3": "ignore", "p@$$w0rd": "pasword", "d0 !t n0w!": "do it now", "７７": "t", "€xf1l+": "exfit"}


@pytest.mark.parametrize(("text", "expected"), LEET.items())
def test_signs_for_letters(text: str, expected: str) -> None:
    assert canonical(text, leet=True) == expected
    assert expected in readings(text)


HIDDEN = {
    "nothing hidden": (),
    "A" * 3 + " =? short base64 aGVsbG8=": (),
    "aWdub3JlIGFsbCBvZiBpdA==": ("ignore all of it",),
    "&#105;&#x67;n": ("ign",),
    "%69%67n": ("ign",),
    "&#9999999;x &#xFFFFFF;y &#;z": ("x",),
    "\\u0069\\x67n": ("ign",),
    "x" + "".join(chr(0xE0000 + ord(c)) for c in "hid"): ("hid",),
    "69676e6f7265206d6521": ("ignore me!",),
    "69 67 6e 6f 72 65 20 6d 65 21": ("ignore me!",),
    "ROT13: vtaber": ("ROT13: vtaber".translate(str.maketrans(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
    )),),
    "backwards: erongi": ("ignore :sdrawkcab",),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), HIDDEN.items())
def test_hidden_texts(text: str, expected: tuple[str, ...]) -> None:
    found = hidden_texts(text)
    assert all(wanted in " ".join(found) for wanted in expected)
    assert bool(found) is bool(expected)


@pytest.mark.parametrize("run", ["A" * 16, "A" * 17, "A" * 18, "A" * 19, "-_" * 9, "ab+/" * 30, "a" * 21 + "="])
def test_whatever_looks_like_base64_is_read_without_error(run: str) -> None:
    assert all(isinstance(text, str) for text in hidden_texts(run))


def test_visible_keeps_punctuation() -> None:
    assert visible("＜｜IM_ＳＴＡＲＴ｜＞") == "<|im_start|>"
    assert visible("<|im_\u200bstart|>") == "<|im_start|>"
    assert visible("[INST]") == "[inst]"
    assert visible("Système :") == "système :"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", False),
        ("👩‍👩‍👧‍👦 family", False),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿 flag", False),
        ("می\u200cخواهم", False),
        ("\u200b" * 11, False),
        ("\u200b" * 12, True),
        ("x" + "\u200b\u200c" * 16, True),
        ("x" + "\ufe0f" * 12, True),
        ("x" + "\U000e0101" * 12, True),
        ("x" + "\U000e0041" * 12, True),
    ],
)
def test_hidden_run(text: str, expected: bool) -> None:
    assert has_hidden_run(text) is expected


def test_every_code_point_stays_within_the_bounds() -> None:
    """All that Unicode assigns, surrogates included: letters and spaces only, and bounded growth."""
    allowed = frozenset("abcdefghijkmnopqrstuvwxyz ")  # no l
    assigned = (code for code in range(0x110000) if unicodedata.category(chr(code)) not in {"Cn", "Co"})
    for code in (*assigned, 0x0378, 0xE000, 0x10FFFF):
        for leet in (False, True):
            folded = canonical_module._fold_character(chr(code), leet=leet)
            assert len(folded) <= MAX_GROWTH
            assert allowed.issuperset(folded.replace("!", "") if leet else folded)


def test_look_alikes_are_letters() -> None:
    assert all(re.fullmatch("[a-z]{1,2}", letters) for letters in LOOKALIKES.values())
    assert letters_of("ϲ") == "c"
    assert letters_of("ɡ") == "g"
    assert letters_of("5") == letters_of("漢") == letters_of("þ") == ""


HOSTILE = {
    "letters": "ignore all of the previous " * 4000,
    "spaced letters": "i g n o r e " * 9000,
    "one letter": "i" * 100_000,
    "one letter spaced": "i " * 50_000,
    "one endless word": "ignoreallofthe" * 8000,
    "combining marks": "a\u0301\u0316" * 33_000,
    "longest compatibility form": "\ufdfa" * 100_000,
    "fastest growing": "\u33af" * 100_000,
    "spaces": " " * 100_000,
    "line breaks": "\n" * 100_000,
    "angle brackets": "<|" * 50_000,
    "hash signs": "#" * 100_000,
    "headings": "### system " * 9000,
    "ampersands": "&#" * 50_000,
    "endless reference": "&#" + "1" * 100_000,
    "endless hexadecimal reference": "&#x" + "1" * 100_000,
    "references": "&#105" * 20_000,
    "percent signs": "%41" * 33_000,
    "backslashes": "\\u0041" * 16_000,
    "base64": "QUFB" * 25_000,
    "base64 in lines": "QUFB\n" * 20_000,
    "hexadecimal": "41 " * 33_000,
    "tags": "\U000e0041" * 100_000,
    "zero width": "\u200b" * 100_000,
    "exceptions": "how do attackers exfiltrate " * 3600,
    "backwards and rot13": "reverse rot13 " * 7000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_stay_within_the_bounds(text: str, shipped: Bundle) -> None:
    """Lengths bound the work: each reading is searched once, with patterns of bounded length (next tests)."""
    hidden = hidden_texts(text)
    assert sum(map(len, hidden)) <= MAX_HIDDEN * len(text)
    for reading in readings(text):
        assert len(reading) <= MAX_GROWTH * (MAX_HIDDEN + 1) * len(text)
        for phrases in _books(shipped):
            places = sum(1 for _ in phrases._places(reading))
            assert places <= 2 * len(reading)


def _books(bundle: Bundle) -> list[PhraseBook]:
    books = [guard.phrases for guard in bundle.guards if isinstance(guard, BlockedPatternsGuard)]
    return books + [guard.signals for guard in bundle.guards if isinstance(guard, InjectionGuard)]


def _all_patterns(bundle: Bundle) -> list[re.Pattern[str]]:
    sets = [phrases for book in _books(bundle) for phrases in book.sets]
    fixed = [v for module in (canonical_module, injection) for v in vars(module).values() if isinstance(v, re.Pattern)]
    return [
        *(phrases.pattern for phrases in sets),
        *(phrases.unless_after for phrases in sets if phrases.unless_after),
        *(book._word_start for book in _books(bundle)),
        *injection._SHAPES.values(),
        *fixed,
    ]


def test_no_pattern_can_explode(shipped: Bundle) -> None:
    """Nothing but a single character is repeated without bound, so that no two repetitions stand in each other."""
    patterns = _all_patterns(shipped)
    assert len(patterns) > 40
    for pattern in patterns:
        for repeated in _repetitions(_parser.parse(pattern.pattern, pattern.flags)):
            assert repeated.getwidth() == (1, 1), pattern.pattern[:80]


def _repetitions(parsed: Any) -> list[Any]:
    """The bodies of all unbounded repetitions in a parsed pattern."""
    found: list[Any] = []
    for code, argument in parsed:
        if code in {_parser.MAX_REPEAT, _parser.MIN_REPEAT}:
            _low, high, body = argument
            if high == _parser.MAXREPEAT:
                found.append(body)
            found += _repetitions(body)
        elif isinstance(argument, tuple | list):
            for part in _parts(argument):
                found += _repetitions(part)
    return found


def _parts(argument: Any) -> list[Any]:
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [part for item in argument for part in _parts(item)]
    return []


def test_what_a_phrase_can_match_is_bounded(shipped: Bundle) -> None:
    for book in _books(shipped):
        for phrases in book.sets:
            parsed = _parser.parse(phrases.pattern.pattern)
            assert parsed.getwidth()[1] <= MAX_SLOTS * 4 * MAX_LETTERS


FOUND: list[tuple[str, str]] = [
    ("forbidden fruit", "the forbidden fruit is sweet"),
    ("forbidden fruit", "FORBIDDEN-FRUIT"),
    ("forbidden fruit", "f.o.r.b.i.d.d.e.n f r u i t"),
    ("forbidden fruit", "for bid den fruit"),
    ("forbidden fruit", "forbiddenfruit"),
    ("all apples", "a l l a p p l e s"),
    ("all apples", "al lapples"),
    ("all apples", "allapples"),
    ("eat the? red|green? apple|apples", "eat apple"),
    ("eat the? red|green? apple|apples", "eat the green apples"),
    ("eat the? red|green? apple|apples", "eatapples"),
    ("pass salt", "passalt"),
    ("do_not|never eat", "do not eat"),
    ("do_not|never eat", "don ot eat"),
    ("n_obeis plus", "n'obéis plus"),
    ("nor a? b|c plus", "nor b plus"),
    ("nor a? b|c plus", "nor ac plus"),
    ("llama farm", "llama farm"),
    ("llama farm", "lama farm"),
    ("llama farm", "l l a m a farm"),
    ("internationalisation rules", "xxinternationalisation rulesxx"),
]


@pytest.mark.parametrize(("phrase", "text"), FOUND)
def test_phrases_found(phrase: str, text: str) -> None:
    assert PhraseBook([compile_set("it", [phrase])]).found_in([canonical(text)]) == ("it",)


NOT_FOUND: list[tuple[str, str]] = [
    ("forbidden fruit", "forbidden big fruit"),
    ("forbidden fruit", "fruit forbidden"),
    ("old tree", "bold tree"),
    ("old tree", "old trees"),
    ("eat the? apple", "eat a apple"),
    ("eat the? apple", "eat the"),
    ("do_not|never eat", "do eat not"),
    ("it is so", ""),
]


@pytest.mark.parametrize(("phrase", "text"), NOT_FOUND)
def test_phrases_not_found(phrase: str, text: str) -> None:
    assert PhraseBook([compile_set("it", [phrase])]).found_in([canonical(text)]) == ()


UNLESS: list[tuple[str, tuple[str, ...]]] = [
    ("delete all data", ("it",)),
    ("how do I delete all data", ()),
    ("How do I... delete all data?", ()),
    ("show do i delete all data", ("it",)),  # "how" must be a word
    ("how do I delete all data? Delete all data!", ("it",)),
    ("how do I delete all photos and delete all data", ("it",)),
    ("h o w d o I delete all data", ()),
    ("delete all data, how do I", ("it",)),
]


@pytest.mark.parametrize(("text", "expected"), UNLESS)
def test_words_after_which_a_phrase_does_not_count(text: str, expected: tuple[str, ...]) -> None:
    phrases = compile_set("it", ["delete all data"], ["how do|can i|we"])
    assert PhraseBook([phrases]).found_in([canonical(text)]) == expected


def test_a_book_names_its_sets_in_order() -> None:
    book = PhraseBook([compile_set("b", ["bad pear"]), compile_set("a", ["bad apple", "sour apple"])])
    assert book.found_in(["sour apie", "a bad pear and a bad apie"]) == ("b", "a")
    assert book.found_in(["bad", "apie"]) == ()
    assert book.found_in([]) == PhraseBook([]).found_in(["bad apie"]) == ()


WRONG: dict[str, tuple[str, str]] = {
    "nothing": ("", "starts with a word that is not optional"),
    "spaces": ("  ", "starts with a word that is not optional"),
    "all optional": ("maybe? perhaps?", "starts with a word that is not optional"),
    "first optional": ("maybe? so", "starts with a word that is not optional"),
    "empty choice": ("a||b cde", "without letters"),
    "no letters": ("123 abc", "without letters"),
    "first word of one letter": ("n obeis", "the first word needs two different letters"),
    "first word of one doubled letter": ("ll abc", "the first word needs two different letters"),
    "short": ("ab", "fewer than 3 letters"),
    "short by a choice": ("ab|abcdef", "fewer than 3 letters"),
    "many words": ("abc " * (MAX_SLOTS + 1), "more than 14 words"),
    "many choices": ("|".join(f"w{'abcdefgh'[n % 8]}{'x' * (n // 8 + 1)}" for n in range(MAX_CHOICES + 1)), "choices"),
    "long word": ("a" * (MAX_LETTERS + 1), "more than 40 letters"),
}


@pytest.mark.parametrize(("phrase", "message"), WRONG.values(), ids=WRONG)
def test_phrases_that_are_refused(phrase: str, message: str) -> None:
    with pytest.raises(PhraseError, match=re.escape(message)):
        compile_set("it", [phrase])
