"""For the tests of reports: logs to report on, settings, and what a page says as text."""

from __future__ import annotations

import html
import os
import re
import shutil
from pathlib import Path
from typing import Any

from runtime.audit.manifest import load_public
from runtime.audit.record import Draft, new_record_id
from runtime.audit.writer import LogWriter
from runtime.reports.making import Source
from runtime.settings import Settings, load_settings
from tests.unit.audit.log_rig import Rig

GOLDEN = Path(__file__).parents[2] / "golden" / "0.1.0"
ROOT_KEY = "root.pub.pem"
#: A decision in each log of the release: a masked one with its intent, and one made in evaluation mode.
DECISION = "DR-019f2212-5a80-7000-8000-000000000100"
EVALUATED = "DR-019f220e-9990-7000-8000-00000000000a"


SUBJECTS = (("input", "2" * 64),)


def settings_in(home: Path, **environ: str) -> Settings:
    return load_settings({"FILAGENT_HOME": str(home), "LLM_BACKEND": "scripted", **environ})


def golden(name: str, home: Path) -> Source:
    """A log of the release, where it lies."""
    found = GOLDEN / name
    return Source(found / "log", load_public((found / ROOT_KEY).read_bytes()), settings_in(home), jobs=1)


def copied(name: str, home: Path) -> Source:
    """A log of the release, to be changed."""
    shutil.copytree(GOLDEN / name / "log", home / "log")
    source = golden(name, home)
    return Source(home / "log", source.root, source.settings, jobs=1)


def of_rig(rig: Rig) -> Source:
    root = load_public((rig.keys / ROOT_KEY).read_bytes())
    return Source(rig.logs, root, settings_in(rig.home), jobs=1)


def asked(writer: LogWriter, provider: str = "llama.cpp", backend: str = "local.user", **more: Any) -> str:
    """A turn as the pipeline records one: its intent, its decision; the decision's id."""
    model = {"provider": provider, "request_model": "model-a", "weights_sha256": "d" * 64, "mode": "fast", "seed": 7}
    if provider != "llama.cpp":
        del model["weights_sha256"]
    about = {
        "actor": {"type": "principal", "ref": "p_" + "a" * 26, "role": "user", "auth_method": "api_key"},
        "door": "chat",
        "turn_ref": f"t_{os.urandom(13).hex()}",
        "conversation_ref": "c_" + "c" * 26,
        "data_subject_refs": ["s_" + "s" * 26],
        "policy": {"revision": "sha256:" + "1" * 64},
        "software": {"version": "0.1.0", "digest": "sha256:" + "e" * 64},
        "masker": {"revision": "sha256:" + "f" * 64},
        "model": model,
    }
    view = {"name": "view.1", "sha256": "2" * 64, "size": 512, "commit": "4" * 64}
    first = writer.append(Draft(new_record_id(), "model.intent", {**about, "step": 1, "content": [view]}, SUBJECTS))
    decided = {
        "parent_record_id": first.record_id,
        "step": 1,
        "decision": "redact",
        "rules": ["role.user.chat.create", f"backend.{backend}", "guard.size"],
        "reasons": [],
        "redactions": {"in": {"EMAIL_ADDRESS": 2, "PERSON": 1}, "out": {}},
        "usage": {"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234},
        "effect": {"status": "complete"},
        "legal": {"purpose": "support", "basis": "consent", "automated_decision": True, "retain_until": "2028-01-15"},
        "content": [{"name": "input", "sha256": "2" * 64, "size": 512, "commit": "3" * 64}],
    }
    return writer.append(Draft(new_record_id(), "turn", {**about, **decided, **more}, SUBJECTS)).record_id


def text_of(page: bytes) -> str:
    """What a reader of an HTML page reads, in order."""
    body = page.decode().partition("<body>")[2]
    spaced = re.sub(r"</?(?:p|h\d|li|dt|dd|td|th|tr|section|caption|br|pre)\b[^>]*>", "\n", body)
    lines = html.unescape(re.sub(r"<[^>]+>", "", spaced)).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def section(text: str, title: str) -> str:
    """The lines of a page's text from a heading on, ten of them."""
    lines = text.splitlines()
    return "\n".join(lines[lines.index(title) : lines.index(title) + 14])
