"""The long form of `test_contract_kept` (`make fuzz`): every path, every phase of schemathesis.

Only building its cases takes minutes, so `conftest` does not collect this module for other runs.
"""

import pytest

from tests.web import asking

whole = asking.contract(whole=True)


@pytest.mark.fuzz
@whole.parametrize()
@asking.bounded(300)
def test_at_length_every_door_keeps_the_contract(case, ask, bearer):
    ask(case, {} if case.path == "/oauth2/token" else bearer)
