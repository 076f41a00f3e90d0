"""The environment variables that configure FilAgent. Reading them is `settings`' business."""

from __future__ import annotations

#: Environment variable -> the setting it overrides. docs/operations.md lists each; a test holds them together.
DOCUMENTED_VARIABLES: dict[str, str] = {
    "FILAGENT_ENV": "mode",
    "LLM_BACKEND": "backend",
    "SERVER_HOST": "server.host",
    "SERVER_PORT": "server.port",
    "FILAGENT_WORKERS": "server.workers",
    "MODEL_PATH": "llama_cpp.model_path",
    "IA_MODEL": "llama_cpp.model",
    "CONTEXT_SIZE": "llama_cpp.context_size",
    "N_GPU_LAYERS": "llama_cpp.n_gpu_layers",
    "PERPLEXITY_API_KEY": "perplexity.api_key",
    "PERPLEXITY_MODEL": "perplexity.model",
    "PERPLEXITY_BASE_URL": "perplexity.base_url",
    "VLLM_BASE_URL": "vllm.base_url",
    "VLLM_MODEL": "vllm.model",
    "VLLM_API_KEY": "vllm.api_key",
    "OLLAMA_BASE_URL": "ollama.base_url",
    "OLLAMA_MODEL": "ollama.model",
    "LLAMA_SERVER_BASE_URL": "llama_server.base_url",
    "LLAMA_SERVER_API_KEY": "llama_server.api_key",
    "OPENAI_COMPATIBLE_BASE_URL": "openai_compatible.base_url",
    "OPENAI_COMPATIBLE_MODEL": "openai_compatible.model",
    "OPENAI_COMPATIBLE_API_KEY": "openai_compatible.api_key",
    "SSL_CERT_FILE": "upstream.ca_file",
    "ENABLE_AUDIT_TRAIL": "audit_trail",
    "ENABLE_PII_REDACTION": "pii_redaction",
    "ENABLE_WORM_LOGGING": "worm_logging",
    "SECRET_KEY_FILE": "secret_key_file",
    "FILAGENT_CONSOLE_API": "console.api",
    "FILAGENT_CONSOLE_HOST": "console.host",
    "FILAGENT_CONSOLE_PORT": "console.port",
    "FILAGENT_CONSOLE_LANGUAGE": "console.language",
    "FILAGENT_CONSOLE_ROOT_KEY": "console.root_key",
    "OIDC_CLIENT_SECRET": "oidc.client_secret",
    "HF_ENDPOINT": "hub.endpoint",
    "HF_TOKEN": "hub.token",
    "HF_HUB_OFFLINE": "hub.offline",
}
#: Read before or beside the settings file.
OTHER_VARIABLES = (
    "FILAGENT_HOME",
    "FILAGENT_CONFIG",
    "FILAGENT_POLICIES",
    "FILAGENT_API_KEY",
    "FILAGENT_CRASH_AT",
)
