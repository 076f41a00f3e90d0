"""Settings: read once from config/agent.yaml, .env and the environment, validated, passed on.

An unknown key anywhere stops the start. Secrets are `SecretStr` and are never printed. What the settings may not
do (switch the evidence off, bind to the world without TLS, use fakes in production) is refused here, so that no
other part needs to ask again.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from runtime.backend_settings import RemoteSettings, UpstreamSettings
from runtime.console_settings import ConsoleSettings
from runtime.errors import SettingsError
from runtime.evidence_settings import EvidenceSettings
from runtime.hub_settings import HubSettings
from runtime.oidc_settings import OidcSettings
from runtime.report_settings import ReportSettings
from runtime.selected import apply_environment, apply_selected
from runtime.variables import DOCUMENTED_VARIABLES, OTHER_VARIABLES

BackendName = Literal["llama.cpp", "vllm", "perplexity", "ollama", "llama_server", "openai_compatible", "scripted"]
Decimal = Field(None, pattern=r"^\d{1,2}(\.\d{1,4})?$")

_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes; leave room for the name


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(2, ge=1, le=64)
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    request_bytes: int = Field(1 << 20, ge=1024, le=1 << 26)


class GenerationSettings(_Section):
    system_prompt: str | None = None
    temperature: str | None = Decimal
    top_p: str | None = Decimal
    thinking: bool = False
    max_tokens: int = Field(256, ge=1, le=32768)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    mode: Literal["fast", "reproducible"] = "fast"


class AgentSettings(_Section):
    max_requests: int = Field(8, ge=1, le=64)
    history_turns: int = Field(20, ge=0, le=1000)


class MaskingSettings(_Section):
    ner: bool = True
    timeout_seconds: float = Field(10, gt=0, le=120)
    max_chars: int = Field(100_000, ge=1000, le=2_000_000)


class LlamaSettings(_Section):
    model: str | None = None
    model_path: Path | None = None
    context_size: int = Field(4096, ge=256, le=1 << 20)
    n_gpu_layers: int | None = Field(None, ge=-1, le=1000)
    threads: int | None = Field(None, ge=1, le=256)
    queue: int = Field(32, ge=1, le=10_000)
    wait_seconds: float = Field(45, gt=0, le=3600)


class HousekeepingSettings(_Section):
    lease_seconds: int = Field(30, ge=2, le=3600)
    interval_seconds: float = Field(5, gt=0, le=3600)
    epoch_key_days: int = Field(30, ge=1, le=3650)
    denials_interval_seconds: float = Field(60, gt=0, le=3600)


class Settings(_Section):
    """Everything that can be configured; see config/agent.yaml for the meaning of each key."""

    home: Path
    policies_file: Path
    models_file: Path
    prices_file: Path
    obligations_file: Path
    mode: Literal["evaluation", "development", "production"] = "evaluation"
    backend: BackendName = "llama.cpp"
    server: ServerSettings = ServerSettings()
    generation: GenerationSettings
    agent: AgentSettings = AgentSettings()
    masking: MaskingSettings = MaskingSettings()
    llama_cpp: LlamaSettings = LlamaSettings()
    hub: HubSettings = HubSettings()
    perplexity: RemoteSettings
    vllm: RemoteSettings
    ollama: RemoteSettings
    llama_server: RemoteSettings
    openai_compatible: RemoteSettings = RemoteSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    reports: ReportSettings = ReportSettings()
    oidc: OidcSettings = OidcSettings()
    console: ConsoleSettings = ConsoleSettings()
    audit_trail: bool = True
    pii_redaction: bool = True
    worm_logging: bool = True
    secret_key_file: Path | None = None

    @model_validator(mode="after")
    def _controls_stay_on(self) -> Self:
        if not (self.audit_trail and self.worm_logging):
            raise ValueError(
                "ENABLE_AUDIT_TRAIL and ENABLE_WORM_LOGGING cannot be switched off: no evidence, no service"
            )
        if not self.pii_redaction and self.mode != "development":
            raise ValueError("ENABLE_PII_REDACTION=false is allowed in development mode only")
        if not self.masking.ner and self.mode == "production":
            raise ValueError("masking.ner=false lets names through unmasked: production mode refuses it")
        if self.backend == "scripted" and self.mode == "production":
            raise ValueError("the scripted backend is for tests: production mode refuses it")
        if self.mode == "production" and os.environ.get("FILAGENT_CRASH_AT"):
            raise ValueError("FILAGENT_CRASH_AT is set: production mode refuses crash points")
        server = self.server
        if (server.tls_certificate is None) != (server.tls_key is None):
            raise ValueError("server.tls_certificate and server.tls_key go together")
        if not _is_loopback(server.host) and server.tls_certificate is None and not server.trusted_proxy:
            raise ValueError(
                f"SERVER_HOST={server.host} is not a loopback address: give server.tls_certificate and tls_key, "
                "or declare server.trusted_proxy"
            )
        return self

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.home / 'data' / 'filagent.sqlite'}"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def keys_dir(self) -> Path:
        return self.home / "keys"

    @property
    def exports_dir(self) -> Path:
        """Where exports and uploads lie for a day at most (`runtime/jobs.py`)."""
        return self.home / "exports"

    @property
    def run_dir(self) -> Path:
        """Where sockets lie; short enough for a Unix socket path whatever the home is."""
        direct = self.home / "run"
        if len(os.fsencode(direct)) <= _SOCKET_PATH_LIMIT - len("/writer.sock"):
            return direct
        tag = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"filagent-{os.getuid()}-{tag}"  # noqa: S108 - made 0700 and checked by `make_dirs`

    @property
    def writer_socket(self) -> Path:
        return self.run_dir / "writer.sock"

    @property
    def model_socket(self) -> Path:
        return self.run_dir / "model.sock"

    def passphrase(self) -> bytes | None:
        """The secret that encrypts private keys at rest, or None (evaluation: keys lie in clear, 0600)."""
        if self.secret_key_file is None:
            return None
        try:
            secret = self.secret_key_file.read_bytes().strip()
        except OSError as error:
            raise SettingsError(f"SECRET_KEY_FILE cannot be read: {error.strerror}") from error
        if len(secret) < 32:
            raise SettingsError("SECRET_KEY_FILE must hold at least 32 characters (openssl rand -hex 32)")
        return secret

    def make_dirs(self) -> None:
        """Create the directories of this home, 0700; refuse one that belongs to somebody else."""
        for path in (self.home / "data", self.logs_dir, self.keys_dir, self.home / "models", self.run_dir):
            try:
                if path == self.run_dir and path.is_symlink():
                    raise SettingsError("the directory for sockets is a symbolic link")
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                state = path.stat()
                if state.st_uid != os.getuid():
                    raise SettingsError(f"{path.name} belongs to another user")
                if state.st_mode & 0o777 != 0o700:
                    path.chmod(0o700)
            except OSError as error:
                raise SettingsError(f"{path.name} cannot be used in this home: {error.strerror}") from error


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration of this process.

    Raises:
        SettingsError: an unknown key, a wrong value, or a combination that is refused; the text names the key.
    """
    env = environment(environ)
    home = Path(env["FILAGENT_HOME"])
    if {"?", "%"} & set(str(home)):
        raise SettingsError("FILAGENT_HOME may not hold '?' or '%': the database would not lie where it says")
    shipped = Path(__file__).resolve().parent.parent / "config"
    values = _read_yaml(_first(env.get("FILAGENT_CONFIG"), home / "config" / "agent.yaml", shipped / "agent.yaml"))
    policies = _first(env.get("FILAGENT_POLICIES"), home / "config" / "policies.yaml", shipped / "policies.yaml")
    models = _first(None, home / "config" / "models.yaml", shipped / "models.yaml")
    prices = _first(None, home / "config" / "prices.yaml", shipped / "prices.yaml")
    obligations = _first(None, home / "config" / "obligations.yaml", shipped / "obligations.yaml")
    for reserved in ("home", "policies_file", "models_file", "prices_file", "obligations_file"):
        if reserved in values:
            raise SettingsError(f"agent.yaml: unknown key '{reserved}'")
    apply_selected(values, home)
    apply_environment(values, env)
    for name, target in DOCUMENTED_VARIABLES.items():
        if env.get(name, "") != "" and name != "IA_MODEL":
            _put(values, target, env[name])
    try:
        files = {"policies": policies, "models": models, "prices": prices, "obligations": obligations}
        return Settings(home=home, **{f"{name}_file": path for name, path in files.items()}, **values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables in force: the environment's over those of the home's `.env`; FILAGENT_HOME is always there.

    Raises:
        SettingsError: an unknown key in `.env`.
    """
    env = dict(os.environ if environ is None else environ)
    home = Path(env.get("FILAGENT_HOME") or Path.cwd()).absolute()
    return {**_read_dotenv(home / ".env"), **env, "FILAGENT_HOME": str(home)}


def _first(named: str | None, *candidates: Path) -> Path:
    if named:
        return Path(named).absolute()
    return next((path for path in candidates if path.is_file()), candidates[-1])


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read: {type(error).__name__}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SettingsError(f"{path.name} must be a mapping")
    return values


def _read_dotenv(path: Path) -> dict[str, str]:
    """KEY=value lines; nothing is executed or expanded. An unknown key stops the start."""
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or (name.strip() not in DOCUMENTED_VARIABLES and name.strip() not in OTHER_VARIABLES):
            raise SettingsError(f".env line {number}: unknown key '{name.strip()[:40]}'")
        values[name.strip()] = value.strip().strip("\"'")
    return values


def _put(values: dict[str, Any], dotted: str, value: str) -> None:
    *parents, leaf = dotted.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise SettingsError(f"agent.yaml: '{parent}' must be a mapping")
    values[leaf] = value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _explain(error: ValidationError) -> str:
    """One line per mistake; the wrong value is not repeated, for it may be a secret."""
    lines = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in item["loc"])
        lines.append(
            f"unknown key '{key}'" if item["type"] == "extra_forbidden" else f"{key}: {item['msg']}".lstrip(": ")
        )
    return "; ".join(lines)
