"""The configuration: where it comes from, what stops the start, and what may not be combined."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.errors import SettingsError
from runtime.settings import DOCUMENTED_VARIABLES, Settings, load_settings

CONFIG = Path(__file__).parents[3] / "config"
SECRET = "pplx-9f8e7d6c5b4a"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def load(home: Path, **environ: str) -> Settings:
    return load_settings({"FILAGENT_HOME": str(home), **environ})


def agent_yaml(home: Path, change: Callable[[dict[str, Any]], object]) -> None:
    values = yaml.safe_load((CONFIG / "agent.yaml").read_text("utf-8"))
    change(values)
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "agent.yaml").write_text(yaml.safe_dump(values), "utf-8")


def refused(home: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(home, **environ)
    return str(error.value)


def value_of(settings: Settings, dotted: str) -> Any:
    value: Any = settings
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


# where it comes from ---------------------------------------------------------------------------------------------------


def test_an_empty_home_runs_with_what_is_shipped(home: Path) -> None:
    settings = load(home)
    assert settings.policies_file == CONFIG / "policies.yaml"
    assert settings.models_file == CONFIG / "models.yaml"
    assert (settings.mode, settings.backend, settings.server.host) == ("evaluation", "llama.cpp", "127.0.0.1")
    assert (settings.audit_trail, settings.pii_redaction, settings.worm_logging) == (True, True, True)
    assert settings.logs_dir == home / "logs"
    assert settings.database_url == f"sqlite:///{home}/data/filagent.sqlite"


GIVEN: dict[str, tuple[str, Any]] = {
    "FILAGENT_ENV": ("development", "development"),
    "LLM_BACKEND": ("vllm", "vllm"),
    "SERVER_HOST": ("::1", "::1"),
    "SERVER_PORT": ("8123", 8123),
    "FILAGENT_WORKERS": ("3", 3),
    "FILAGENT_CONSOLE_API": ("https://api.example", "https://api.example"),
    "FILAGENT_CONSOLE_HOST": ("::1", "::1"),
    "FILAGENT_CONSOLE_PORT": ("7861", 7861),
    "FILAGENT_CONSOLE_LANGUAGE": ("fr", "fr"),
    "FILAGENT_CONSOLE_ROOT_KEY": ("root.pub.pem", Path("root.pub.pem")),
    "MODEL_PATH": ("models/own.gguf", Path("models/own.gguf")),
    "IA_MODEL": ("qwen3-8b", "qwen3-8b"),
    "CONTEXT_SIZE": ("2048", 2048),
    "N_GPU_LAYERS": ("-1", -1),
    "PERPLEXITY_API_KEY": (SECRET, SECRET),
    "PERPLEXITY_MODEL": ("sonar-pro", "sonar-pro"),
    "PERPLEXITY_BASE_URL": ("https://p.example", "https://p.example"),
    "VLLM_BASE_URL": ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000/v1"),
    "VLLM_MODEL": ("qwen", "qwen"),
    "VLLM_API_KEY": (SECRET, SECRET),
    "OLLAMA_BASE_URL": ("http://o.example", "http://o.example"),
    "OLLAMA_MODEL": ("phi", "phi"),
    "LLAMA_SERVER_BASE_URL": ("http://l.example", "http://l.example"),
    "LLAMA_SERVER_API_KEY": (SECRET, SECRET),
    "OPENAI_COMPATIBLE_BASE_URL": ("https://m.example/v1", "https://m.example/v1"),
    "OPENAI_COMPATIBLE_MODEL": ("large", "large"),
    "OPENAI_COMPATIBLE_API_KEY": (SECRET, SECRET),
    "SSL_CERT_FILE": ("ca.pem", Path("ca.pem")),
    "ENABLE_AUDIT_TRAIL": ("true", True),
    "ENABLE_PII_REDACTION": ("1", True),
    "ENABLE_WORM_LOGGING": ("yes", True),
    "SECRET_KEY_FILE": ("secret", Path("secret")),
    "OIDC_CLIENT_SECRET": (SECRET, SECRET),
    "HF_ENDPOINT": ("https://mirror.example", "https://mirror.example"),
    "HF_TOKEN": (SECRET, SECRET),
    "HF_HUB_OFFLINE": ("1", True),
}


@pytest.mark.parametrize("name", DOCUMENTED_VARIABLES)
def test_every_documented_variable_is_read(home: Path, name: str) -> None:
    given, wanted = GIVEN[name]
    value = value_of(load(home, **{name: given}), DOCUMENTED_VARIABLES[name])
    assert (value.get_secret_value() if hasattr(value, "get_secret_value") else value) == wanted


def test_an_empty_variable_is_none(home: Path) -> None:
    assert load(home, SERVER_PORT="", LLM_BACKEND="").server.port == 8000


def test_the_environment_is_asked_before_dotenv_before_the_file(home: Path) -> None:
    agent_yaml(home, lambda values: values["server"].update(port=1001))
    assert load(home).server.port == 1001
    (home / ".env").write_text("SERVER_PORT=1002\n")
    assert load(home).server.port == 1002
    assert load(home, SERVER_PORT="1003").server.port == 1003


def test_dotenv_is_read_literally(home: Path) -> None:
    (home / ".env").write_text(
        "# a comment\n\n  export SERVER_PORT = 1002\nPERPLEXITY_API_KEY=\"a=b#c$HOME\"\nVLLM_MODEL='$(id)'\n"
    )
    settings = load(home)
    assert settings.server.port == 1002
    assert settings.perplexity.api_key is not None
    assert settings.perplexity.api_key.get_secret_value() == "a=b#c$HOME"
    assert settings.vllm.model == "$(id)"


def test_a_homes_own_files_come_before_the_shipped_ones(home: Path) -> None:
    (home / "config").mkdir()
    for name in ("policies.yaml", "models.yaml"):
        (home / "config" / name).write_text("{}")
    settings = load(home)
    assert settings.policies_file == home / "config" / "policies.yaml"
    assert settings.models_file == home / "config" / "models.yaml"
    assert load(home, FILAGENT_POLICIES=str(CONFIG / "policies.yaml")).policies_file == CONFIG / "policies.yaml"


# what stops the start ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ((), "colour"),
        (("server",), "prot"),
        (("generation",), "temprature"),
        (("vllm",), "apikey"),
        (("housekeeping",), "x"),
    ],
)
def test_an_unknown_key_is_named(home: Path, place: tuple[str, ...], key: str) -> None:
    def misspell(values: dict[str, Any]) -> None:
        for part in place:
            values = values[part]
        values[key] = 1

    agent_yaml(home, misspell)
    assert f"unknown key '{'.'.join((*place, key))}'" in refused(home)


@pytest.mark.parametrize("reserved", ["home", "policies_file", "models_file"])
def test_paths_of_the_home_are_not_for_the_file(home: Path, reserved: str) -> None:
    agent_yaml(home, lambda values: values.update({reserved: "/etc"}))
    assert f"unknown key '{reserved}'" in refused(home)


@pytest.mark.parametrize("line", ["SERVER_PROT=1", "PATH=/bin", "nonsense", "=1", "export"])
def test_an_unknown_line_in_dotenv_is_named_by_its_number(home: Path, line: str) -> None:
    (home / ".env").write_text(f"SERVER_PORT=1\n{line}\n")
    assert ".env line 2" in refused(home)


@pytest.mark.parametrize(
    "content", ["", "- a\n", "text", "1: a\n", "null: a\n", "a: [", "\x00", "a: !!python/object/apply:os.system [id]\n"]
)
def test_a_file_that_is_no_mapping_is_refused(home: Path, content: str) -> None:
    (home / "config").mkdir()
    (home / "config" / "agent.yaml").write_text(content)
    assert "agent.yaml" in refused(home)


def test_a_named_file_that_is_not_there_is_refused(home: Path) -> None:
    assert "cannot be read" in refused(home, FILAGENT_CONFIG=str(home / "none.yaml"))


@pytest.mark.parametrize("environ", [{}, {"SERVER_PORT": "1"}])
def test_a_section_that_is_empty_is_named(home: Path, environ: dict[str, str]) -> None:
    agent_yaml(home, lambda values: values.update(server=None))
    assert "server" in refused(home, **environ)


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("no number", {"SERVER_PORT": "http"}, "server.port"),
    ("no port", {"SERVER_PORT": "70000"}, "server.port"),
    ("no workers", {"FILAGENT_WORKERS": "0"}, "server.workers"),
    ("no backend", {"LLM_BACKEND": "gpt"}, "backend"),
    ("no mode", {"FILAGENT_ENV": "prod"}, "mode"),
    ("no switch", {"ENABLE_PII_REDACTION": "maybe"}, "pii_redaction"),
    ("no evidence", {"ENABLE_AUDIT_TRAIL": "false"}, "no evidence, no service"),
    ("no log", {"ENABLE_WORM_LOGGING": "0"}, "no evidence, no service"),
    ("no masking", {"ENABLE_PII_REDACTION": "false"}, "development mode only"),
    (
        "no masking in production",
        {"ENABLE_PII_REDACTION": "off", "FILAGENT_ENV": "production"},
        "development mode only",
    ),
    ("a fake in production", {"LLM_BACKEND": "scripted", "FILAGENT_ENV": "production"}, "scripted"),
    ("the world", {"SERVER_HOST": "0.0.0.0"}, "not a loopback address"),
    ("the world in IPv6", {"SERVER_HOST": "::"}, "not a loopback address"),
    ("a name", {"SERVER_HOST": "filagent.example"}, "not a loopback address"),
]


@pytest.mark.parametrize(("environ", "told"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_value_is_named(home: Path, environ: dict[str, str], told: str) -> None:
    assert told in refused(home, **environ)


def test_decimals_are_texts(home: Path) -> None:
    for wrong in (0.7, "1e1", "-1", "0,7", "0.70000"):
        agent_yaml(home, lambda values, wrong=wrong: values["generation"].update(temperature=wrong))
        assert "generation.temperature" in refused(home)


def test_masking_may_be_off_in_development(home: Path) -> None:
    assert load(home, ENABLE_PII_REDACTION="false", FILAGENT_ENV="development").pii_redaction is False


@pytest.mark.parametrize(
    ("server", "accepted"),
    [
        ({"host": "127.0.0.2"}, True),
        ({"host": "localhost"}, True),
        ({"host": "10.0.0.1"}, False),
        ({"host": "10.0.0.1", "trusted_proxy": True}, True),
        ({"host": "10.0.0.1", "tls_certificate": "c.pem", "tls_key": "k.pem"}, True),
        ({"host": "10.0.0.1", "tls_certificate": "c.pem"}, False),
        ({"tls_key": "k.pem"}, False),
    ],
)
def test_the_world_is_served_with_tls_or_a_proxy_alone(home: Path, server: dict[str, Any], accepted: bool) -> None:
    agent_yaml(home, lambda values: values["server"].update(server))
    if accepted:
        assert load(home).server.host == server["host"]
    else:
        assert "tls" in refused(home)


def test_production_refuses_crash_points(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILAGENT_CRASH_AT", "turn.opened")
    assert "FILAGENT_CRASH_AT" in refused(home, FILAGENT_ENV="production")


# secrets -----------------------------------------------------------------------------------------------------------------


def test_secrets_are_not_shown(home: Path) -> None:
    settings = load(home, PERPLEXITY_API_KEY=SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    assert SECRET not in settings.model_dump_json()


def test_an_error_repeats_no_value(home: Path) -> None:
    agent_yaml(home, lambda values: values["vllm"].update(api_key={"key": SECRET}))
    assert SECRET not in refused(home, SERVER_PORT=SECRET, PERPLEXITY_API_KEY=SECRET)
    (home / ".env").write_text(f"PERPLEXITY_APIKEY={SECRET}\n")
    assert SECRET not in refused(home)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot be read"), (b"", "at least 32"), (b"x" * 31 + b"\n", "at least 32")]
)
def test_a_passphrase_is_there_and_long(home: Path, content: bytes | None, told: str) -> None:
    path = home / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=told):
        load(home, SECRET_KEY_FILE=str(path)).passphrase()


def test_a_passphrase_is_read_without_its_line_end(home: Path) -> None:
    (home / "secret").write_bytes(b"k" * 64 + b"\n")
    assert load(home, SECRET_KEY_FILE=str(home / "secret")).passphrase() == b"k" * 64
    assert load(home).passphrase() is None


# directories ---------------------------------------------------------------------------------------------------------------


def test_sockets_of_a_long_home_have_short_paths(tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120)
    settings = load(long)
    for socket in (settings.writer_socket, settings.model_socket):
        assert len(os.fsencode(socket)) <= 107
    assert not settings.run_dir.is_relative_to(long)
    assert settings.run_dir == load(long).run_dir != load(tmp_path / ("e" * 120)).run_dir
    assert load(tmp_path / "h").run_dir == tmp_path / "h" / "run"


def test_directories_are_the_owners_alone(home: Path) -> None:
    (home / "logs").mkdir(mode=0o755)
    settings = load(home)
    settings.make_dirs()
    settings.make_dirs()
    for path in (home / "data", settings.logs_dir, settings.keys_dir, home / "models", settings.run_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_a_directory_of_somebody_else_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(home)
    settings.make_dirs()
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(SettingsError, match="another user"):
        settings.make_dirs()
