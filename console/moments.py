"""Fields for a day or a time, and what was typed into them. All times are UTC.

Gradio's own field for this leaves out, without a word, what it does not understand: a search or an export would then be
of more than was asked for. Here it is an error, and a day alone will do.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import gradio as gr

from console.words import Words

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_DAY = "%Y-%m-%d"


def moment_field(words: Words, label: str, elem_id: str) -> gr.Textbox:
    """A field for `moment`; `label` is the key of its text."""
    return gr.Textbox(
        label=words(label), placeholder=words("frame.moment"), max_length=40, min_width=240, elem_id=elem_id
    )


def day_field(words: Words, label: str, elem_id: str) -> gr.Textbox:
    """A field for `day`."""
    return gr.Textbox(label=words(label), placeholder=words("frame.day"), max_length=40, elem_id=elem_id)


def moment(text: str | None, *, end: bool = False) -> str:
    """A time as the API takes it; "" for an empty field.

    Args:
        text: a day, or a day and a time.
        end: it is where a period ends, itself not in it: a day alone is in it as a whole.

    Raises:
        ValueError: it is neither.
    """
    given = " ".join((text or "").replace("T", " ").removesuffix("Z").split())
    if not given:
        return ""
    for form in _FORMS:
        try:
            return _stamp(datetime.strptime(given, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    first = datetime.strptime(given, _DAY).replace(tzinfo=UTC)
    try:
        return _stamp(first + timedelta(days=1) if end else first)
    except OverflowError as error:
        raise ValueError(given) from error


def day(text: str | None) -> str:
    """A day as the API takes it; "" for an empty field. Raises: ValueError."""
    given = (text or "").strip()
    return datetime.strptime(given, _DAY).replace(tzinfo=UTC).date().isoformat() if given else ""


def _stamp(when: datetime) -> str:
    return f"{when.replace(tzinfo=None).isoformat()}Z"
