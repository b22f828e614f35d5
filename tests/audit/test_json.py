"""JSON: valid under the published schema, and nothing lost on the way back."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

import dlexplain as dlx
from dlexplain.audit.report import as_json
from dlexplain.errors import InputError
from tests.audit.constructed import check, record, rich


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(as_json.schema())
    return jsonschema.Draft202012Validator(as_json.schema())


def test_a_record_comes_back_whole(tmp_path, validator):
    made = rich()
    again = dlx.AuditRecord.load(made.save(tmp_path / "record.json"))
    assert again == made
    assert as_json.write(again) == as_json.write(made)
    validator.validate(json.loads(as_json.write(made)))


def test_what_differs_from_run_to_run_stands_in_one_place():
    content = json.loads(as_json.write(rich()))
    assert content.pop("stamps") == {"6": {"seconds": 0.25}, "7": {"seconds": 1.5, "device memory": 12}}
    assert "seconds" not in json.dumps(content)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("verdict",), "PERHAPS"),
        (("schema",), 2),
        (("fingerprint",), "abc"),
        (("seed",), -1),
        (("parts", 0, "checks", 0, "status"), "OK"),
        (("parts", 0, "checks", 0, "reason"), ""),
        (("parts", 0, "checks", 0, "figure"), "much"),
        (("parts", 1, "checks", 2, "figure"), 0.5),  # NOT RUN, yet a figure
        (("parts", 1, "tables", 0, "rows", 0, 0), ["nested"]),
        (("parts", 1, "number"), 18),
        (("stamps",), {"seven": {}}),
    ],
)
def test_the_schema_refuses_what_is_no_record(place, value, validator):
    content = json.loads(as_json.write(rich()))
    at = content
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    assert list(validator.iter_errors(content))


def test_the_schema_refuses_what_is_missing_or_unknown(validator):
    content = json.loads(as_json.write(rich()))
    for key in list(content):
        less = copy.deepcopy(content)
        del less[key]
        assert list(validator.iter_errors(less)), key
    assert list(validator.iter_errors({**content, "more": 1}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a record in JSON"),
        ("{", "is not a record in JSON"),
        ("[1]", "has no 'schema'"),
        ('{"schema": 9}', "has schema 9; this dlexplain reads schema 1"),
        ('{"schema": 1, "verdict": "PASS"}', "is not a whole record"),
        ('{"schema": 1, "parts": [{"number": 1}], "stamps": {}}', "is not a whole record"),
    ],
)
def test_a_file_that_is_no_record_is_refused_by_name(text, words, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"other\.json.*" + words):
        dlx.AuditRecord.load(path)


def test_an_absent_file_and_a_picture_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json could not be read"):
        dlx.AuditRecord.load(tmp_path / "absent.json")
    (tmp_path / "picture.json").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="is not a record in JSON"):
        dlx.AuditRecord.load(tmp_path / "picture.json")


def test_text_of_any_script_stands_as_it_is(tmp_path):
    made = record(check(reason="Größe, 大小, </script>"))
    path = made.save(tmp_path / "record.json")
    assert "Größe, 大小, </script>" in path.read_text(encoding="utf-8")
    assert dlx.AuditRecord.load(path) == made
