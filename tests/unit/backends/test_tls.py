"""TLS is verified: a certificate that nobody vouches for ends the call before a byte of it is sent."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.backend_settings import RemoteSettings, UpstreamSettings
from runtime.backends.base import BackendError, ChatBackend, ChatMessage, ChatRequest, SamplingOptions, TextDelta
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from runtime.choice import build_backends
from runtime.errors import SettingsError
from runtime.settings import load_settings
from tests.fakes.certificates import self_signed
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.anyio
REQUEST = ChatRequest((ChatMessage("user", "hello"),), SamplingOptions(max_tokens=5), "o")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "certificate.pem")


@pytest.fixture
def provider(certificate: Path) -> Iterator[FakeProvider]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with FakeProvider(tls=context) as running:
        yield running


async def let_pass(_body: bytes) -> None:
    return


async def text_of(backend: ChatBackend) -> str:
    try:
        return "".join([e.text async for e in backend.chat(REQUEST, let_pass) if isinstance(e, TextDelta)])
    finally:
        await backend.aclose()


async def test_an_unknown_certificate_is_refused(provider: FakeProvider) -> None:
    backend = OpenAICompatibleBackend("vllm", model="m", base_url=provider.url, retry=RetryPolicy(retries=0))
    with pytest.raises(BackendError) as caught:
        await text_of(backend)
    assert caught.value.code == "upstream.unreachable"
    assert provider.requests == []


async def test_the_settings_can_name_certificates_and_cannot_switch_verification_off(
    provider: FakeProvider, certificate: Path, tmp_path: Path
) -> None:
    environ = {"FILAGENT_HOME": str(tmp_path), "LLM_BACKEND": "vllm", "VLLM_BASE_URL": provider.url, "VLLM_MODEL": "m"}
    strict = build_backends(load_settings(environ)).choose(None)
    with pytest.raises(BackendError):
        await text_of(strict)
    assert provider.requests == []
    told = build_backends(load_settings({**environ, "SSL_CERT_FILE": str(certificate)})).choose(None)
    assert await text_of(told) == "Bonjour le monde"
    with pytest.raises(SettingsError, match="ca_file"):
        build_backends(load_settings({**environ, "SSL_CERT_FILE": str(tmp_path / "absent.pem")}))
    keys = {*RemoteSettings.model_fields, *UpstreamSettings.model_fields}
    assert not [key for key in keys if "verify" in key or "insecure" in key or "tls" in key]


async def test_a_certificate_that_is_trusted_explicitly_is_accepted(provider: FakeProvider, certificate: Path) -> None:
    backend = OpenAICompatibleBackend("vllm", model="m", base_url=provider.url, ca_file=certificate)
    assert await text_of(backend) == "Bonjour le monde"
