"""`python -m scripts.train_names`: texts → likeness → tagger → `runtime/redaction/names.npz`.

Steps: (1) draw persons from names; (2) train the judges of single words, one a fold, so that no
training text shows scores that its names were trained on; (3) write texts and (4) train the tagger by them, several
times with other seeds, because what one network gets wrong by chance the others do not; (5) train the judge of all
words; (6) store, large tables in single bytes, and print the digest that `name_model.py` expects.

Where names and words come from is said in `README.md` beside this file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one order of additions

import numpy as np
import numpy.typing as npt

from runtime.redaction.dictionary import Dictionary
from runtime.redaction.name_features import Words, tokens
from runtime.redaction.name_model import WEIGHTS
from runtime.redaction.name_words import bare, key

from . import likeness, tagger
from .pools import Pool
from .texts import KINDS, Writer, many, templates

_BYTES = ("words", "endings", "rows")  # tables that are stored in single bytes
_ORIGIN = (1980, 1, 1, 0, 0, 0)  # of every file in the archive: the same weights make the same bytes
Array = npt.NDArray[Any]


def main() -> None:
    """Run the steps."""
    parser = argparse.ArgumentParser(prog="python -m scripts.train_names", description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=WEIGHTS)
    parser.add_argument("--texts", type=int, default=140_000)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, default=3, help="networks whose readings are averaged")
    parser.add_argument("--hold-names", action="store_true", help="keep one name in eight out, to see what that costs")
    options = parser.parse_args()
    pool = Pool(held=False if options.hold_names else None)
    given, family = pool.words()
    common = likeness.common_words()
    folds = [likeness.train(given, family, common, without=one, seed=options.seed) for one in range(likeness.FOLDS)]
    print("words are judged", flush=True)
    dictionaries = {language: Dictionary(language) for language in ("fr", "en")}
    vocabulary = _vocabulary(given | family, dictionaries)
    lists = {
        name: np.unique(np.array([key(word) for word in part], dtype=np.uint32))
        for name, part in (("given", given), ("family", family), ("proper", likeness.proper_nouns(given | family)))
    }
    words = Words(
        {word: index + 1 for index, word in enumerate(vocabulary)},
        french=dictionaries["fr"].known, english=dictionaries["en"].known, likeness=likeness.Crossed(folds), **lists,
    )  # fmt: skip
    writer = Writer(pool, {language: sorted(of) for language, of in common.items()})

    def member(seed: int) -> dict[str, Array]:
        """One network, by texts of its own."""
        read = tagger.data(many(writer, options.texts, seed), words, forget=0.4, seed=seed)
        print(f"{len(read.starts) - 1} texts, {len(read.tags)} tokens, vocabulary {len(vocabulary)}", flush=True)
        model = tagger.new(len(vocabulary), seed)
        tagger.train(model, read, epochs=options.epochs, batch=192, rate=2e-3, forget=0.15, seed=seed)
        return model

    members = side_by_side(member, [options.seed + one for one in range(options.members)])
    whole = likeness.train(given, family, common, without=None, seed=options.seed)
    content = stored(together(members) | whole._asdict(), vocabulary, lists)
    options.out.write_bytes(content)
    print(f"{options.out.name}: {len(content)} bytes, SHA256 = {hashlib.sha256(content).hexdigest()}")


def side_by_side(work: Callable[[int], dict[str, Array]], seeds: Sequence[int]) -> list[dict[str, Array]]:
    """The work done for each seed, in a process of its own.

    Raises:
        EOFError: one of them ended without a result.
    """
    context = get_context("fork")
    results, processes = [], []
    for seed in seeds:
        result, sender = context.Pipe(duplex=False)
        process = context.Process(target=lambda seed, to: to.send(work(seed)), args=(seed, sender))
        process.start()
        sender.close()  # what a process that dies leaves open nobody waits for
        results.append(result)
        processes.append(process)
    found = [result.recv() for result in results]
    for process in processes:
        process.join()
    return found


def together(members: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """The weights of all members, each kind in one array, the member first."""
    return {name: np.stack([one[name] for one in members]) for name in members[0]}


def _vocabulary(names: set[str], dictionaries: dict[str, Dictionary]) -> list[str]:
    """The words of templates and lists but for names that are nothing else."""
    lines = [line for kind in KINDS for language in ("fr", "en") for line in templates(f"{kind}.{language}")]
    lines += [*templates("forms.any"), *templates("lists.words")]
    found = {token.text.lower() for line in lines for token in tokens(line) if not token.text.isdigit()}
    kept = {
        word for word in found
        if (bare(word) not in names and word not in names) or word in dictionaries["fr"] or word in dictionaries["en"]
    }  # fmt: skip
    return sorted((kept | {"\n", "\n\n", "\t", "'", *"12345"}) - {"⏎", "’"})


def stored(weights: dict[str, Array], vocabulary: list[str], lists: dict[str, Array]) -> bytes:
    """The file that `NameModel` reads."""
    arrays: dict[str, Array] = dict(lists)
    arrays["vocabulary"] = np.frombuffer("\0".join(vocabulary).encode(), dtype=np.uint8)
    for name, values in weights.items():
        if name in _BYTES:
            scale = np.float32(np.abs(values).max() / 127)
            arrays[name], arrays[f"{name}_scale"] = np.round(values / scale).astype(np.int8), np.array(scale)
        else:
            arrays[name] = values.astype(np.float16) if values.size > 1000 else values
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, values in sorted(arrays.items()):
            array = io.BytesIO()
            np.lib.format.write_array(array, values, allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _ORIGIN), array.getvalue(), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


if __name__ == "__main__":
    main()
