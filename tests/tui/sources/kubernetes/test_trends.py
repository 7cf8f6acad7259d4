"""The short past of what pods use."""

import math

from tui.sources.kubernetes.metrics import Usage
from tui.sources.kubernetes.trends import MOST, Trends


def test_only_the_newest_readings_are_kept() -> None:
    trends = Trends()
    for reading in range(MOST + 5):
        trends.record({"shop/api": Usage(float(reading), 1.0)})
    trend = trends.get("shop/api")
    assert trend is not None
    assert (len(trend.cpu_cores), trend.cpu_cores[-1], trend.readings) == (MOST, MOST + 4, MOST + 5)


def test_a_reading_without_a_pod_is_a_gap_and_many_are_its_end() -> None:
    trends = Trends()
    trends.record({"shop/api": Usage(1.0, 1.0), "shop/web": Usage(1.0, 1.0)})
    trends.record({"shop/api": Usage(1.0, 1.0)})
    trends.record({"shop/api": Usage(1.0, 1.0), "shop/web": Usage(2.0, 2.0)})
    trend = trends.get("shop/web")
    assert trend is not None
    assert [math.isnan(value) for value in trend.cpu_cores] == [False, True, False]
    for _ in range(20):
        trends.record({"shop/api": Usage(1.0, 1.0)})
    assert trends.get("shop/web") is None
    assert len(trends) == 1
