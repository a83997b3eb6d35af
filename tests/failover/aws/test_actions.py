"""A write changes two numbers: everything else of the listener round-trips as AWS wants it written."""

from failover.aws.actions import fingerprint, groups, read, with_weights
from failover.model import Split

LAMBDA, ECS, THIRD = (f"arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup/{n}/1" for n in "abc")


def forward(*weights: tuple[str, int], sticky: bool = False, **more) -> dict:
    return {
        "Type": "forward",
        "Order": 2,
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights],
            "TargetGroupStickinessConfig": {"Enabled": sticky, "DurationSeconds": 60},
        },
        **more,
    }


OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {"Issuer": "https://login.example", "ClientId": "id", "ClientSecret": "never shown"},
}


def test_weights_are_read_from_the_forward_action():
    found = read([OIDC, forward((LAMBDA, 90), (ECS, 10), (THIRD, 5), sticky=True)], LAMBDA, ECS)
    assert (found.split, found.other_weight, found.sticky) == (Split(90, 10), 5, True)


def test_a_route_without_both_groups_says_which_is_missing():
    assert "ECS" in read([forward((LAMBDA, 1))], LAMBDA, ECS).problem
    assert "Lambda and the ECS" in read([{"Type": "fixed-response"}], LAMBDA, ECS).problem
    assert groups([{"Type": "forward", "TargetGroupArn": LAMBDA}]) == {LAMBDA: 1}


def test_zero_for_both_is_a_problem_and_no_split():
    assert "0/0" in read([forward((LAMBDA, 0), (ECS, 0))], LAMBDA, ECS).problem


def test_oidc_is_written_back_with_its_existing_secret():
    written = with_weights([OIDC, forward((LAMBDA, 1), (ECS, 0))], {LAMBDA: 0, ECS: 1})
    config = written[0]["AuthenticateOidcConfig"]
    assert "ClientSecret" not in config
    assert config["UseExistingClientSecret"] is True
    assert [action["Order"] for action in written] == [1, 2]


def test_a_group_beside_the_forward_config_is_dropped():
    written = with_weights([forward((LAMBDA, 1), (ECS, 0), TargetGroupArn=LAMBDA)], {LAMBDA: 0, ECS: 1})
    assert "TargetGroupArn" not in written[0]


def test_the_fingerprint_sees_what_is_not_ours():
    plain, sticky = [forward((LAMBDA, 1), (ECS, 0))], [forward((LAMBDA, 1), (ECS, 0), sticky=True)]
    assert fingerprint(plain, LAMBDA, ECS) != fingerprint(sticky, LAMBDA, ECS)
