"""Pages of GetMetricData, which count data points over all results.

Source: CloudWatch API Reference, ``GetMetricData``: ``MaxDatapoints``, and the status ``PartialData`` of a result that
goes on in the next page.
"""

from typing import Any

from lab.errors import AwsError

MOST_DATAPOINTS = 100_800

Result = dict[str, Any]


def page(results: list[Result], given: dict[str, Any]) -> dict[str, Any]:
    """The page's results and the token of the next. Raises AwsError for a token that no call returned."""
    token = given.get("NextToken", "0")
    if not token.isdecimal():
        raise AwsError("InvalidNextToken", f"'{token}' is not a token that this call returned")
    start = int(token)
    end = start + int(given.get("MaxDatapoints", MOST_DATAPOINTS))
    total = sum(len(each["Values"]) for each in results)
    return {"MetricDataResults": _within(results, start, end), "NextToken": str(end) if end < total else None}


def _within(results: list[Result], start: int, end: int) -> list[Result]:
    """Each result's part between two places in the row of all points; one without points goes with its place."""
    found, at = [], 0
    for result in results:
        count = len(result["Values"])
        if max(at, start) < min(at + count, end) or (count == 0 and start <= at < end):
            found.append(_part(result, max(0, start - at), end - at))
        at += count
    return found


def _part(result: Result, first: int, last: int) -> Result:
    status = "PartialData" if last < len(result["Values"]) else result["StatusCode"]
    cut = {name: result[name][first:last] for name in ("Timestamps", "Values")}
    return {**result, **cut, "StatusCode": status}
