"""Attacks with the files of a log alone: no key is needed. See `log_scene`; `test_log_mutations` runs them."""

from __future__ import annotations

import base64
import json
import shutil
from typing import Any

from tests.attacks.log_scene import Scene, attack, edited
from tests.unit.audit.forge import put

FILES = "files"


# Lines


@attack("a record is edited", FILES, "line.signature")
def edit_a_record(scene: Scene) -> None:
    segment, at = scene.any_line()

    def change(statement: dict[str, Any]) -> None:
        statement["predicate"]["decision"] = "deny" if statement["predicate"].get("decision") == "allow" else "allow"

    segment.lines[at] = edited(segment.lines[at], change)
    segment.write()


@attack("one bit is flipped", FILES, "line.form", "line.signature", "key.unknown", "line.statement", "segment.torn")
def flip_a_bit(scene: Scene) -> None:
    segment = scene.any_segment()
    data = bytearray(segment.path.read_bytes())
    # The last byte is left alone: without its LF the very last line would be an unfinished one.
    data[scene.chance.randrange(len(data) - 1)] ^= 1 << scene.chance.randrange(8)
    put(segment.path, bytes(data))


@attack("a record is deleted", FILES, "line.seq", "segment.missing")
def delete_a_record(scene: Scene) -> None:
    segment, at = scene.any_line(before_last=True)
    del segment.lines[at]
    segment.write()


@attack("a record is deleted and all segments after it renumbered", FILES, "line.seq")
def delete_and_renumber(scene: Scene) -> None:
    segment, at = scene.any_line(before_last=True)
    del segment.lines[at]
    segment.write()
    for later in scene.segments[scene.segments.index(segment) + 1 :]:
        later.path.rename(
            later.path.with_name(later.path.name.replace(f"{later.first:020d}", f"{later.first - 1:020d}"))
        )


@attack("two neighbours are swapped", FILES, "line.seq")
def swap_neighbours(scene: Scene) -> None:
    segment = scene.chance.choice([item for item in scene.segments if len(item.lines) > 1])
    at = scene.chance.randrange(len(segment.lines) - 1)
    segment.lines[at : at + 2] = reversed(segment.lines[at : at + 2])
    segment.write()


@attack("two records far apart are swapped", FILES, "line.seq")
def swap_far(scene: Scene) -> None:
    one, other = scene.segments[0], scene.any_segment(skip=1)
    first, second = scene.chance.randrange(len(one.lines)), scene.chance.randrange(len(other.lines))
    one.lines[first], other.lines[second] = other.lines[second], one.lines[first]
    one.write()
    other.write()


@attack("a record is doubled", FILES, "line.seq", "segment.overlap")
def double_a_record(scene: Scene) -> None:
    segment, at = scene.any_line()
    segment.lines.insert(at, segment.lines[at])
    segment.write()


@attack("a record of elsewhere takes a place", FILES, "line.seq")
def replace_by_another(scene: Scene) -> None:
    segment, at = scene.any_line()
    other, position = scene.any_line()
    while (other, position) == (segment, at):
        other, position = scene.any_line()
    segment.lines[at] = other.lines[position]
    segment.write()


@attack("a blank line is put in", FILES, "line.form")
def blank_line(scene: Scene) -> None:
    segment, at = scene.any_line()
    segment.lines.insert(at, b"")
    segment.write()


def respelled(name: str, spell: Any) -> None:
    """Register an attack that spells a line in another way that means the same."""

    def act(scene: Scene) -> None:
        segment, at = scene.any_line()
        changed = spell(segment.lines[at])
        while changed == segment.lines[at]:  # not every payload needs padding
            segment, at = scene.any_line()
            changed = spell(segment.lines[at])
        segment.lines[at] = changed
        segment.write()

    attack(f"a line is spelled another way: {name}", FILES, "line.form")(act)


def with_payload(line: bytes, change: Any) -> bytes:
    payload = json.loads(line)["payload"]
    return line.replace(payload.encode(), change(payload).encode())


def with_loose_bits(payload: str) -> str:
    """The unused bits of the last character are not zero."""
    if not payload.endswith("="):
        return payload
    body = payload.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(payload) - len(body))


def two_signatures(line: bytes) -> bytes:
    envelope = json.loads(line)
    envelope["signatures"] *= 2
    return json.dumps(envelope, separators=(",", ":")).encode()


def with_other_alphabet(line: bytes) -> bytes:
    signature = json.loads(line)["signatures"][0]["sig"].encode()
    return line.replace(signature, signature.replace(b"+", b"-").replace(b"/", b"_"))


def with_capitals(line: bytes) -> bytes:
    name = json.loads(line)["signatures"][0]["keyid"].encode()
    return line.replace(name, name.upper())


respelled("spaces", lambda line: json.dumps(json.loads(line)).encode())
respelled("a space at the end", lambda line: line + b" ")
respelled(
    "members in another order",
    lambda line: json.dumps(dict(reversed(json.loads(line).items())), separators=(",", ":")).encode(),
)
respelled("an escape", lambda line: line.replace(b'"payload"', b'"\\u0070ayload"'))
respelled("an escaped slash", lambda line: line.replace(b"application/vnd", b"application\\/vnd"))
respelled("a member twice", lambda line: line.replace(b'"payloadType"', b'"payload":"","payloadType"'))
respelled("a member more", lambda line: line[:-1] + b',"note":1}')
respelled("two signatures", two_signatures)
respelled("base64 without padding", lambda line: with_payload(line, lambda text: text.rstrip("=")))
respelled("base64 with loose bits", lambda line: with_payload(line, with_loose_bits))
respelled("base64 with a line break", lambda line: with_payload(line, lambda text: text[:76] + "\\n" + text[76:]))
respelled("base64 of the other alphabet", with_other_alphabet)
respelled("CR before LF", lambda line: line + b"\r")
respelled("a byte order mark", lambda line: b"\xef\xbb\xbf" + line)
respelled("key id in capitals", with_capitals)


# The end


@attack("the tail is cut off", FILES, "lines.missing")
def cut_tail(scene: Scene) -> None:
    keep = scene.chance.randrange(scene.first, scene.size)
    for segment in scene.segments:
        del segment.lines[max(0, keep - segment.first) :]
        segment.write()


@attack("the last record is cut in its middle", FILES, "lines.missing")
def cut_in_a_line(scene: Scene) -> None:
    path = scene.segments[-1].path
    put(path, path.read_bytes()[: -scene.chance.randint(1, 300)])


@attack("the tail is cut off and the checkpoint set back, later ones forgotten", FILES, "lines.missing")
def cut_and_set_back(scene: Scene) -> None:
    size = scene.chance.choice(scene.archived_at_a_border())
    for segment in scene.segments:
        if segment.first >= size:
            segment.path.unlink()
    put(scene.logs / "checkpoint", (scene.logs / "checkpoints" / f"{size:020d}").read_bytes())


@attack("the tail is cut off with every later checkpoint, tiles forgotten", FILES, "tile.ahead", "pruned.undeclared")
def cut_but_tiles(scene: Scene) -> None:
    tiles = scene.rig.home / "tiles"
    shutil.copytree(scene.logs / "tile", tiles)
    covered = scene.size // 256 * 256
    scene.set_back(scene.chance.choice([size for size in scene.archived_at_a_border(any_time=True) if size < covered]))
    shutil.rmtree(scene.logs / "tile")
    tiles.rename(scene.logs / "tile")


# Segments


@attack("a segment is missing", FILES, "segment.missing")
def missing_segment(scene: Scene) -> None:
    scene.any_segment(sealed=True).path.unlink()


@attack("all segments are missing but the last", FILES, "segment.missing")
def only_the_last(scene: Scene) -> None:
    for segment in scene.segments[:-1]:
        segment.path.unlink()


@attack("a segment stands there twice", FILES, "segment.overlap")
def doubled_segment(scene: Scene) -> None:
    path = scene.any_segment().path
    shutil.copy(path, path.with_name("events_2099" + path.name[11:]))


@attack("two segments are swapped", FILES, "line.seq")
def swapped_segments(scene: Scene) -> None:
    one, other = scene.chance.sample(scene.segments, 2)
    one.lines, other.lines = other.lines, one.lines
    one.write()
    other.write()


@attack("a segment is renamed", FILES, "segment.missing", "segment.overlap", "line.seq")
def renamed_segment(scene: Scene) -> None:
    segment = scene.any_segment()
    moved = max(0, segment.first + scene.chance.choice([-1, 1, 10**6]))
    segment.path.rename(segment.path.with_name(f"{segment.path.name[:16]}{moved:020d}.jsonl"))


@attack("a segment in the middle loses its last byte", FILES, "segment.torn")
def torn_segment(scene: Scene) -> None:
    path = scene.any_segment(sealed=True).path
    put(path, path.read_bytes()[:-1])


@attack("a segment is a directory", FILES, "file.unreadable")
def segment_as_directory(scene: Scene) -> None:
    path = scene.any_segment(sealed=True).path
    path.unlink()
    path.mkdir()


# Tiles and checkpoints


@attack("a tile is altered", FILES, "tile.wrong", "tree.root")
def altered_tile(scene: Scene) -> None:
    path = scene.chance.choice(sorted((scene.logs / "tile" / "0").iterdir()))
    data = bytearray(path.read_bytes())
    data[scene.chance.randrange(len(data))] ^= 1 << scene.chance.randrange(8)
    put(path, bytes(data))


@attack("two tiles are swapped", FILES, "tile.wrong", "tree.root")
def swapped_tiles(scene: Scene) -> None:
    one, other = sorted((scene.logs / "tile" / "0").iterdir())[:2]
    first, second = one.read_bytes(), other.read_bytes()
    put(one, second)
    put(other, first)


@attack("the checkpoint claims another size", FILES, "checkpoint.signature")
def other_size(scene: Scene) -> None:
    origin, size, rest = (scene.logs / "checkpoint").read_text().split("\n", 2)
    other = int(size) + scene.chance.choice([-1, 1, 1000])
    put(scene.logs / "checkpoint", f"{origin}\n{other}\n{rest}".encode())


@attack("the checkpoint is cut short", FILES, "checkpoint.form")
def truncated_checkpoint(scene: Scene) -> None:
    data = (scene.logs / "checkpoint").read_bytes()
    put(scene.logs / "checkpoint", data[: scene.chance.randrange(1, len(data))])


@attack("an archived checkpoint is forged", FILES, "checkpoint.signature")
def forged_archive(scene: Scene) -> None:
    path = scene.chance.choice(scene.archived())
    origin, size, _, rest = path.read_text().split("\n", 3)
    other = base64.b64encode(scene.chance.choice(scene.leaves)).decode()
    put(path, f"{origin}\n{size}\n{other}\n{rest}".encode())


def loosened(name: str, change: Any) -> None:
    def act(scene: Scene) -> None:
        put(scene.logs / "checkpoint", change((scene.logs / "checkpoint").read_text()).encode())

    attack(f"the checkpoint is spelled another way: {name}", FILES, "checkpoint.form")(act)


loosened("a zero before the size", lambda text: text.replace("\n", "\n0", 1))
loosened("an underscore in the size", lambda text: text.replace("\n", "\n1_0", 1))
loosened("a line more", lambda text: text.replace("\n\n", "\nmore\n\n", 1))
loosened("CR", lambda text: text.replace("\n", "\r\n"))
loosened("no LF at its end", lambda text: text[:-1])
loosened("no signature", lambda text: text.partition("—")[0])


@attack("all checkpoints are deleted", FILES, "checkpoint.none")
def no_checkpoint(scene: Scene) -> None:
    shutil.rmtree(scene.logs / "checkpoints")
    (scene.logs / "checkpoint").unlink()
