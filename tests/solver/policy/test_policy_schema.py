"""The exported schema, the guide and the example are current; the fingerprint is of the content."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from apportion.policy import Policy, load_policy, policy_json_schema
from apportion.policy.guide import guide_tables

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "policy.yaml"


def test_the_exported_schema_is_current() -> None:
    """docs/policy.schema.json is what the code says; write it anew with `python -m apportion.policy.guide docs`."""
    assert json.loads((ROOT / "docs" / "policy.schema.json").read_text()) == policy_json_schema()


def test_the_guide_is_current() -> None:
    """The tables of keys in docs/policy.md are what the code says; write them anew with the same command."""
    guide = (ROOT / "docs" / "policy.md").read_text()
    start, end = guide.index("<!-- keys -->"), guide.index("<!-- end of keys -->")
    assert guide[start + len("<!-- keys -->") : end].strip() == guide_tables().strip()


def test_the_schema_is_valid_and_knows_the_example() -> None:
    """The schema is a valid draft 2020-12 schema; the example keeps it, an unknown key does not."""
    schema = policy_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    example = yaml.safe_load(EXAMPLE.read_text())
    assert list(validator.iter_errors(example)) == []
    assert list(validator.iter_errors({**example, "capacty": {}}))
    assert list(validator.iter_errors({"rules": [{"name": "a", "effect": "burn", "when": "true"}]}))


def test_every_key_is_described() -> None:
    """Every key of the schema says what it is for: the guide and the error messages live on it."""
    schema = policy_json_schema()
    sections = {"policy": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section.get("properties", {}).items()
        if "description" not in value and "$ref" not in value and key not in ("cover", "points", "steps", "bands")
    ]
    assert silent == []
    assert all("description" in section for section in schema["$defs"].values())


def test_the_example_is_the_default_written_out() -> None:
    """The policy that teaches changes nothing, and names every section and key of the default."""
    example = load_policy(EXAMPLE)
    assert example == Policy()
    assert example.fingerprint == Policy().fingerprint
    written = yaml.safe_load(EXAMPLE.read_text())
    full = json.loads(Policy().canonical)
    assert written.keys() == full.keys()
    for section, content in full.items():
        if isinstance(content, dict):
            assert written[section].keys() == content.keys(), section


def test_commented_examples_load() -> None:
    """Each commented rule of the example is a rule that loads."""
    text = EXAMPLE.read_text()
    for key in ("rules", "screening", "equity", "limits", "reserve", "explore", "weights", "throttle", "requirements"):
        assert f"{key}:" in text
    lines = [line.split("# - ", 1)[1] for line in text.splitlines() if "# - {" in line]
    assert len(lines) >= 12
    for line in lines:
        assert isinstance(yaml.safe_load(line[: line.rindex("}") + 1]), dict), line


def test_the_fingerprint_is_of_the_content() -> None:
    """Defaults written out, comments, order of keys and spelling of numbers change nothing; a rule does."""
    plain = load_policy("window: {days: 1}\nname: default\n")
    assert plain.fingerprint == load_policy("# hello\nname: default\nwindow: {days: 1.0}\n").fingerprint
    assert plain.fingerprint == Policy().fingerprint
    assert len(plain.fingerprint) == 64
    assert load_policy("window: {days: 2}\n").fingerprint != plain.fingerprint


@pytest.mark.parametrize("text", ["", "rules: [{name: r, effect: forbid, when: \"country == 'SE'\"}]\nequity: []\n"])
def test_the_canonical_form_loads_to_the_same_policy(text: str) -> None:
    """What a run records is enough to have the policy back."""
    policy = load_policy(text)
    again = load_policy(json.loads(policy.canonical))
    assert again == policy
    assert again.fingerprint == policy.fingerprint
