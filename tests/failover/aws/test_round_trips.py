"""Whatever a listener or rule does beside its two weights, a write leaves it: described, changed, taken back by AWS,
described again.

What AWS takes is judged by the lab (`lab.actions.accept`), which shares no code with the controller. Source: Elastic
Load Balancing API reference, ModifyListener and ModifyRule (the whole list is replaced), Action.Order,
ForwardActionConfig (weights 0 to 999, at most five groups; a TargetGroupArn beside it allows one group only),
AuthenticateOidcActionConfig.UseExistingClientSecret, AuthenticateCognitoActionConfig, JwtValidationActionConfig.
"""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.aws.actions import fingerprint, groups, read, with_weights
from failover.model import Split
from lab.actions import accept, shown
from lab.errors import AwsError

LAMBDA, ECS, THIRD, OTHER = (
    f"arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup/{name}/1" for name in ("la", "ecs", "x", "y")
)
ALL = {LAMBDA, ECS, THIRD, OTHER}


def forward(groups_: list[dict], **more) -> dict:
    stickiness = more.pop("stickiness", {"Enabled": False})
    config = {"TargetGroups": groups_, "TargetGroupStickinessConfig": stickiness}
    return {"Type": "forward", "ForwardConfig": config, **more}


def ours(lambda_: int = 100, ecs: int = 0) -> list[dict]:
    return [{"TargetGroupArn": LAMBDA, "Weight": lambda_}, {"TargetGroupArn": ECS, "Weight": ecs}]


OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://login.example",
        "AuthorizationEndpoint": "https://login.example/authorize",
        "TokenEndpoint": "https://login.example/token",
        "UserInfoEndpoint": "https://login.example/me",
        "ClientId": "panel",
        "ClientSecret": "stays with AWS",
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "Scope": "openid email",
        "SessionTimeout": 604800,
        "AuthenticationRequestExtraParams": {"prompt": "login"},
        "OnUnauthenticatedRequest": "authenticate",
    },
}
COGNITO = {
    "Type": "authenticate-cognito",
    "Order": 1,
    "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:sa-east-1:111122223333:userpool/p",
        "UserPoolClientId": "c",
        "UserPoolDomain": "d",
        "OnUnauthenticatedRequest": "deny",
    },
}
JWT = {
    "Type": "jwt-validation",
    "Order": 1,
    "JwtValidationConfig": {
        "JwksEndpoint": "https://login.example/keys",
        "Issuer": "https://login.example",
        "AdditionalClaims": [{"Format": "string-array", "Name": "scope", "Values": ["api"]}],
    },
}
STICKY = {"Enabled": True, "DurationSeconds": 3600}

GOLDEN = {
    "forward alone": [forward(ours())],
    "OIDC before forward": [OIDC, forward(ours(), Order=2)],
    "Cognito before forward": [COGNITO, forward(ours(), Order=2)],
    "token validation before forward": [JWT, forward(ours(), Order=2)],
    "orders with a gap": [{**OIDC, "Order": 10}, forward(ours(), Order=50)],
    "stickiness on": [forward(ours(), stickiness=STICKY)],
    "third group with weight": [forward([*ours(50, 50), {"TargetGroupArn": THIRD, "Weight": 7}])],
    "third group at weight 0, named first": [
        forward([{"TargetGroupArn": THIRD, "Weight": 0}, *ours(), {"TargetGroupArn": OTHER, "Weight": 999}])
    ],
}


def through_aws(described: list[dict], weights: dict[str, int], stored: list[dict]) -> list[dict]:
    return shown(accept(with_weights(described, weights), stored, ALL))


def without_our_weights(actions: list[dict]) -> list[dict]:
    bare = copy.deepcopy(actions)
    for action in bare:
        for group in action.get("ForwardConfig", {}).get("TargetGroups", ()):
            if group["TargetGroupArn"] in (LAMBDA, ECS):
                group.pop("Weight")
    return bare


@pytest.mark.parametrize("stored", GOLDEN.values(), ids=GOLDEN)
def test_nothing_but_the_two_weights_differs_after_a_write(stored):
    stored = accept(stored, [], ALL)
    before = shown(stored)
    kept = copy.deepcopy(before)
    after = through_aws(before, {LAMBDA: 3, ECS: 4}, stored)
    assert without_our_weights(after) == without_our_weights(before)
    assert read(after, LAMBDA, ECS).split == Split(3, 4)
    assert fingerprint(after, LAMBDA, ECS) == fingerprint(before, LAMBDA, ECS)
    assert before == kept, "the description itself is left alone"


def test_the_secret_that_aws_never_shows_is_still_the_same_after_a_write():
    stored = accept(GOLDEN["OIDC before forward"], [], ALL)
    again = accept(with_weights(shown(stored), {LAMBDA: 0, ECS: 1}), stored, ALL)
    assert again[0]["AuthenticateOidcConfig"]["ClientSecret"] == "stays with AWS"


def test_a_group_that_aws_names_beside_its_forward_config_does_not_come_back():
    described = [forward(ours(), TargetGroupArn=LAMBDA)]
    with pytest.raises(AwsError):
        accept(described, [], ALL)
    assert groups(through_aws(described, {LAMBDA: 0, ECS: 1}, [])) == {LAMBDA: 0, ECS: 1}


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        ([{"Type": "forward", "TargetGroupArn": LAMBDA}], "ECS"),
        ([forward([{"TargetGroupArn": ECS, "Weight": 1}], TargetGroupArn=ECS)], "Lambda"),
        ([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}], "Lambda and the ECS"),
        ([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}], "Lambda and the ECS"),
        ([], "Lambda and the ECS"),
    ],
)
def test_a_route_without_both_groups_can_not_be_managed_and_says_which_is_missing(described, problem):
    found = read(described, LAMBDA, ECS)
    assert found.split is None
    assert problem in found.problem
    assert with_weights(described, {LAMBDA: 5, ECS: 5}) == described or found.problem


def test_a_weight_that_aws_leaves_out_is_one():
    assert read([forward([{"TargetGroupArn": LAMBDA}, {"TargetGroupArn": ECS}])], LAMBDA, ECS).split == Split(1, 1)


# ---- any list that AWS could hold ----

weights = st.integers(0, 999)
stickiness = st.one_of(
    st.just({"Enabled": False}),
    st.builds(lambda seconds: {"Enabled": True, "DurationSeconds": seconds}, st.integers(1, 604800)),
)


@st.composite
def action_lists(draw):
    others = draw(st.lists(st.sampled_from([THIRD, OTHER]), unique=True, max_size=2))
    members = [{"TargetGroupArn": arn, "Weight": draw(weights)} for arn in (LAMBDA, ECS, *others)]
    final = forward(draw(st.permutations(members)), stickiness=draw(stickiness))
    first = draw(st.sampled_from([None, OIDC, COGNITO, JWT]))
    if first is None:
        return [final]
    low, high = sorted(draw(st.lists(st.integers(1, 50000), min_size=2, max_size=2, unique=True)))
    return [{**copy.deepcopy(first), "Order": low}, {**final, "Order": high}]


@given(stored=action_lists(), lambda_=weights, ecs=weights)
def test_only_weights(stored, lambda_, ecs):
    """The rule `only_weights`, for every list of actions that a listener or rule can have."""
    stored = accept(stored, [], ALL)
    before = shown(stored)
    after = through_aws(before, {LAMBDA: lambda_, ECS: ecs}, stored)
    assert without_our_weights(after) == without_our_weights(before)
    assert {arn: groups(after)[arn] for arn in (LAMBDA, ECS)} == {LAMBDA: lambda_, ECS: ecs}


@given(stored=action_lists(), changed=st.sampled_from(["stickiness", "third", "login", "order"]))
def test_the_fingerprint_sees_every_change_that_is_not_ours(stored, changed):
    other = copy.deepcopy(stored)
    last = other[-1]
    if changed == "stickiness":
        last["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"] ^= True
    elif changed == "third":
        last["ForwardConfig"]["TargetGroups"].append({"TargetGroupArn": f"{OTHER}9", "Weight": 1})
    elif changed == "login":
        other.insert(0, {**OIDC, "Order": 60000})
    else:
        last["Order"] = 60001
    assert fingerprint(stored, LAMBDA, ECS) != fingerprint(other, LAMBDA, ECS), json.dumps(changed)
