import json
from pathlib import Path

import yaml

CONTRACT = Path(__file__).parents[2] / "openapi/listener.yaml"


def test_the_contract_is_printed_as_it_is_kept(command):
    assert command("openapi").out.strip() == CONTRACT.read_text().strip()


def test_the_contract_is_printed_as_json_for_machines(command):
    told = json.loads(command("openapi", "--json").out)
    assert told["openapi"] == "3.1.0"
    assert told == json.loads(
        json.dumps(yaml.load(CONTRACT.read_text(), Loader=yaml.CSafeLoader), default=str)
    )
