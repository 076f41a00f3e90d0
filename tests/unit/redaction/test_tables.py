"""Values whose label stands only in the first row: CSV, TSV, Markdown, aligned columns, HTML."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.spans import Span
from runtime.redaction.stream import StreamMasker, redact

TABLES = {
    "commas": ("who,ssn,office\nOrtiz,536221234,4\nBaker,411509987,2", ["536221234", "411509987"]),
    "quoted commas": ('"who","badge"\n"Ortiz, Ana","48213"', ["48213"]),
    "semicolons": ("nom;matricule;site\nRoy;104482;Laval\nCôté;104483;Amos", ["104482", "104483"]),
    "tabs": ("site\tno_dossier\tnom\nLaval\t2024-00871\tRoy\nAmos\t2024-00872\tCôté", ["2024-00871", "2024-00872"]),
    "an empty cell": ("id\tplate\tssn\n1\t\t536221234", ["536221234"]),
    "Markdown": ("| Who | Health card |\n| :-- | --: |\n| Tran | 4532 118 904 KV |", ["4532 118 904 KV"]),
    "aligned": ("Name      SSN no.      Team no.\nKay Lo    536221234    A\nBo Fry    411509987    B", ["536221234", "411509987"]),
    "HTML": (
        ("<table><tr><th>Who</th><th>MRN</th></tr>\n<tr><td>Roy</td><td>0088124</td></tr>\n"
        "<tr><td class='x'>Lee</td><td>0088125</td></tr></table>"),
        ["0088124", "0088125"],
    ),
    "HTML on many lines": (
        "<tr>\n <th>Nom</th>\n <th>N° de police</th>\n</tr>\n<tr>\n <td>Roy</td>\n <td>HX-9920447</td>\n</tr>",
        ["HX-9920447"],
    ),
    "camel case": ("userName,memberNumber\nroy,88120044", ["88120044"]),
    "SQL": (
        ("INSERT INTO staff (name, role, start, ssn) VALUES ('Ray O''Neil', 'nurse', '2019-03-02', '605184576'),\n"
        "('Bo Fry', 'clerk, day', '2020-01-01', '394275057');"),
        ["605184576", "394275057"],
    ),
    "JSON": ('{"columns":["who","mrn"],"rows":[["Roy","0088124"],["Lee","0088125"]]}', ["0088124", "0088125"]),
    "addresses": ("nom;adresse;ville\nRoy;118 des Pins;Laval", ["118 des Pins"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "values"), TABLES.values(), ids=TABLES)
def test_a_header_labels_its_column(text: str, values: list[str], spans_in: Callable[[str], list[Span]]) -> None:
    masked = "\n".join(text[span.start : span.end] for span in spans_in(text))
    assert all(value in masked for value in values), masked


@pytest.mark.parametrize(("text", "values"), TABLES.values(), ids=TABLES)
def test_a_stream_knows_the_column_too(text: str, values: list[str], rules: PiiEngine) -> None:
    whole = redact(text, StreamMasker(rules.scanner()))
    for size in (1, 2, 3, 7, 16):
        masker = StreamMasker(rules.scanner())
        parts = [masker.feed(text[at : at + size]) for at in range(0, len(text), size)]
        assert "".join(parts) + masker.flush() == whole
    assert not any(value in whole for value in values)


@pytest.mark.parametrize(
    "text",
    [
        "sku,qty,price\nA-4471,12,9.99\nB-8820,3,19.50",
        "order_id;stock\n100482;77\n100483;12",
        "| Item | Order no |\n|---|---|\n| Bolt | 4000123 |",
        "<tr><th>Version</th><th>Build</th></tr><tr><td>10.4.2</td><td>88120</td></tr>",
        "Please bring your passport, and your SIN\nRoom 4120, floor 12",
        "INSERT INTO orders (id, total, badge) VALUES (100482, 88201, null); 48213 rows",
        "code,description\n88120,blue hinge",
        "who,badge\nOrtiz,yes\n\n12044,88211 in stock",
    ],
)
def test_other_columns_stay(text: str, spans_in: Callable[[str], list[Span]]) -> None:
    assert spans_in(text) == []


def test_the_end_of_a_table_ends_its_headers(found: Callable[[str], list[tuple[str, str]]]) -> None:
    assert found("who;badge\nOrtiz;48213\n\nparts;stock\nbolts;48214") == [("ID_NUMBER", "48213")]
