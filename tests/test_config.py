import secrets
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.config import Config, ConfigError, is_loopback, problem_with_origin_template, weakness_of


def environment(**changes: str | None) -> dict[str, str]:
    good = {
        "SHOPIFY_API_KEY": "9d1c2c1fa0a34ce18b24a0a3bd4f62c7",
        "SHOPIFY_API_SECRET": "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",
        "APP_URL": "https://loyalty.example.org",
        "SECRET_KEY": "NXa0f-3vJ8mQ_wZ27pLtYd5RkBc1SgUe9HiMoT4x",
        "ENCRYPTION_KEYS": "c2lSh3_V0MlpcT0IbVm5eFq4mSgXgq0t3lbwYk1VvHs=",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def read(**changes: str | None) -> Config:
    return Config.from_env(environment(**changes), instance_path="/srv/instance")


def problems(**changes: str | None) -> str:
    with pytest.raises(ConfigError) as error:
        read(**changes)
    return "\n".join(error.value.problems)


def test_reads_everything():
    config = read(SHOPIFY_API_SECRET_OLD="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")
    assert config.shopify_api_key == "9d1c2c1fa0a34ce18b24a0a3bd4f62c7"
    assert config.secrets == ("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", "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")
    assert config.app_url == "https://loyalty.example.org"
    assert config.database_url == "sqlite:////srv/instance/regulars.db"
    assert config.shopify_origin is None
    assert config.fernet.decrypt(config.fernet.encrypt(b"x")) == b"x"


def test_names_everything_that_is_missing_at_once():
    with pytest.raises(ConfigError) as error:
        Config.from_env({})
    for name in ("SHOPIFY_API_KEY", "SHOPIFY_API_SECRET", "APP_URL", "SECRET_KEY", "ENCRYPTION_KEYS"):
        assert f"{name} is missing." in error.value.problems


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("postgres://u:p@db/regulars", "postgresql+psycopg://u:p@db/regulars"),
        ("postgresql://u:p@db/regulars?sslmode=require", "postgresql+psycopg://u:p@db/regulars?sslmode=require"),
        ("postgresql+psycopg://db/x", "postgresql+psycopg://db/x"),
        ("sqlite:///other.db", "sqlite:////srv/instance/other.db"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("sqlite://", "sqlite://"),
    ],
)
def test_databases(given, understood):
    assert read(DATABASE_URL=given).database_url == understood


@pytest.mark.parametrize("url", ["mysql://u:p@db/x", "regulars.db", "postgresql+asyncpg://x"])
def test_other_databases_are_refused(url):
    assert "DATABASE_URL" in problems(DATABASE_URL=url)


@pytest.mark.parametrize(
    "url",
    ["http://loyalty.example.org", "loyalty.example.org", "https://a.org/app", "https://a@b.org", "https://a.org?x=1",
     "ftp://a.org", "https://", "https://a.org:port", "http://127.0.0.1:8000"],
)  # fmt: skip
def test_the_public_address_is_an_https_origin(url):
    assert "APP_URL" in problems(APP_URL=url)


def test_the_clock_is_moved_in_development_only():
    assert read().clock_offset_file is None
    development = {"SHOPIFY_ORIGIN": "http://{shop}.localhost:9292"}
    assert read(CLOCK_OFFSET_FILE="/srv/store/clock-offset", **development).clock_offset_file == Path(
        "/srv/store/clock-offset"
    )
    assert "CLOCK_OFFSET_FILE" in problems(CLOCK_OFFSET_FILE="/srv/store/clock-offset")


def test_plain_http_on_loopback_while_there_is_a_dev_store():
    origin = "http://{shop}.localhost:9292"
    assert read(APP_URL="http://127.0.0.1:8000/", SHOPIFY_ORIGIN=origin).app_url == "http://127.0.0.1:8000"
    assert "APP_URL" in problems(APP_URL="http://example.org", SHOPIFY_ORIGIN=origin)


@pytest.mark.parametrize(
    "template",
    [
        "http://{shop}.localhost:9292",
        "http://127.0.0.1:9292/{shop}",
        "http://localhost/{shop}",
        "https://a.localhost/{shop}/",
    ],
)
def test_dev_stores(template):
    assert problem_with_origin_template(template) is None
    assert read(SHOPIFY_ORIGIN=template).shopify_origin == template


@pytest.mark.parametrize(
    "template",
    ["https://{shop}", "http://{shop}:9292", "http://evil.com/{shop}", "http://{shop}.localhost.evil.com",
     "http://127.0.0.1:9292", "http://{shop}.localhost/{shop}", "http://{shop}@127.0.0.1/", "http://127.0.0.1@evil.com/{shop}",
     "http://127.0.0.1.evil.com/{shop}", "file:///{shop}", "http://127.0.0.1/{shop}?a=b", "http://127.0.0.1/x{shop}",
     "http://[::1]/{shop}", "http://{shop}.localhost:x", "http://{shop}{x}.localhost", "http://0.0.0.0/{shop}",
     "http://10.0.0.1/{shop}", "http://localhost.evil.com/{shop}", "http://x{shop}.localhost"],
)  # fmt: skip
def test_a_dev_store_is_on_loopback(template):
    assert "SHOPIFY_ORIGIN" in problems(SHOPIFY_ORIGIN=template)


def test_loopback_names():
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "a.localhost", "::1")))
    assert not any(map(is_loopback, ("localhost.com", "127.0.0.2.example.org", "", "notlocalhost", "0.0.0.0")))


def test_no_value_is_ever_shown():
    values = environment(
        SHOPIFY_API_SECRET_OLD="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", DATABASE_URL="postgres://u:canary@db/x"
    )
    config = Config.from_env(values)
    for name in ("SHOPIFY_API_SECRET", "SHOPIFY_API_SECRET_OLD", "SECRET_KEY", "ENCRYPTION_KEYS"):
        assert values[name] not in repr(config) + str(config)
    assert "canary" not in repr(config)
    said = problems(SHOPIFY_API_SECRET="canary-canary", SECRET_KEY="canary", ENCRYPTION_KEYS="canary", APP_URL="canary",
                    DATABASE_URL="canary", SHOPIFY_ORIGIN="canary", SHOPIFY_API_KEY="can ary")  # fmt: skip
    assert "canary" not in said and len(said.splitlines()) == 7


def test_one_value_serves_one_purpose():
    same = "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"
    assert "SECRET_KEY is the same as SHOPIFY_API_SECRET" in problems(SECRET_KEY=same)


@pytest.mark.parametrize(
    "keys",
    [
        "nonsense",
        "A" * 43 + "=",
        ",",
        Fernet.generate_key().decode()[:-2],
        "dGhpcy1pcy1teS1zZWNyZXQta2V5LTEyMzQ1Njc4OTA=",
    ],
)
def test_encryption_keys_are_fernet_keys(keys):
    assert "ENCRYPTION_KEYS" in problems(ENCRYPTION_KEYS=keys)


def test_encryption_keys_rotate():
    new, old = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = read(ENCRYPTION_KEYS=old).fernet.encrypt(b"token")
    assert read(ENCRYPTION_KEYS=f"{new}, {old}").fernet.decrypt(sealed) == b"token"
    assert "twice" in problems(ENCRYPTION_KEYS=f"{new},{new}")


def test_keys_of_our_own_differ_by_purpose_and_are_never_the_secret():
    config = read()
    keys = {config.derived_key(purpose) for purpose in ("state", "address", "page")}
    assert len(keys) == 3 and all(len(key) == 32 for key in keys)
    assert (
        config.derived_key("state")
        == config.derived_key("state")
        != read(SECRET_KEY=secrets.token_hex(32)).derived_key("state")
    )


def test_a_random_secret_is_never_weak():
    for _ in range(2_000):
        assert weakness_of(secrets.token_hex(16)) is None
        assert weakness_of("shpss_" + secrets.token_hex(16)) is None
        assert weakness_of(secrets.token_urlsafe(32)) is None


def test_reads_the_environment_when_told_nothing(monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    for name in ("DATABASE_URL", "SHOPIFY_ORIGIN", "SHOPIFY_API_SECRET_OLD"):
        monkeypatch.delenv(name, raising=False)
    assert Config.from_env().database_url == f"sqlite:///{Path('instance').absolute() / 'regulars.db'}"
