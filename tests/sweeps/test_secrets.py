"""No token of the environment reaches a run folder or what is printed."""

from __future__ import annotations

import pytest
from real_sweeps import start_gx2c, sweep_arguments
from sweep_fixtures import files_under

from gx2c.errors import UserError
from sweeps.options import make_options

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAQ7SECRET1",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-aws-9917",
    "AWS_SESSION_TOKEN": "s3cr3t-session-5521",
    "GITHUB_TOKEN": "ghp_s3cr3t4408",
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/s3cr3t-7713.json",
}


@pytest.mark.parametrize("storage", ["s3://key:secret@bucket/x", "s3://key@bucket", "gs://a:b@c/d"])
def test_credentials_in_an_option_are_refused_without_repeating_them(storage):
    with pytest.raises(UserError, match="storage holds a secret") as caught:
        make_options("mlp", preset="quick", storage=storage)
    assert ":secret" not in str(caught.value)
    make_options("mlp", preset="quick", storage="s3://bucket/me@home")


@pytest.mark.slow
def test_a_sweep_keeps_no_token(tiny_dataset, tmp_path):
    process = start_gx2c(
        *sweep_arguments("geography", tiny_dataset, tmp_path / "run", "--nulls", "0"),
        cwd=tmp_path,
        environment=SECRETS,
    )
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    texts = {"stdout": out.encode(), "stderr": err.encode()}
    texts |= {str(path): path.read_bytes() for path in files_under(tmp_path / "run")}
    assert len(texts) > 10
    for name, text in texts.items():
        for variable, secret in SECRETS.items():
            assert secret.encode() not in text, f"{variable} is in {name}"
