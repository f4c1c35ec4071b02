"""Every answer of a real server is one of the contract, whatever is asked.

With schemathesis, all of its checks. Where we deviate from what it does by itself, and why:

- a generated cursor is replaced by one that was given out, for nobody can make one up;
- the token endpoint is not shown a bearer token, for it knows clients only;
- on the listener paths, whose schemas are large, the walk through every keyword of a schema (its
  phase "coverage", minutes for one path) is left to `test_contract_at_length`, and so are the
  examples: they are the samples, which other tests send.
"""

from tests.web import asking

LISTENER = r"^/(externalapi|tmf-api)/"

others = asking.contract(whole=True).exclude(path_regex=LISTENER)
listener = asking.contract(whole=False).include(path_regex=LISTENER)


@others.parametrize()
@asking.bounded(6)
def test_the_doors_for_people_keep_the_contract(case, ask, bearer):
    ask(case, {} if case.path == "/oauth2/token" else bearer)


@listener.parametrize()
@asking.bounded(6)
def test_the_doors_for_operators_keep_the_contract(case, ask, bearer):
    ask(case, bearer)


@others.parametrize()
@asking.bounded(2)
def test_without_credentials_the_contract_is_kept_too(case, ask):
    ask(case, {})


@listener.parametrize()
@asking.bounded(1)
def test_operators_without_credentials_are_answered_as_the_contract_says(case, ask):
    ask(case, {})
