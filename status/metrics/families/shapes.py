"""The few shapes families have. Used by the parts of `status.metrics.families`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Labels = TypeVar("Labels", bound=tuple[str, ...])


def gauge(name: str, help: str, value: float) -> Metric:
    """One number that may go down."""
    return GaugeMetricFamily(name, help, value=value)


def counter(name: str, help: str, value: float) -> Metric:
    """One number that only grows. `name` without `_total`."""
    return CounterMetricFamily(name, help, value=value)


def info(name: str, help: str, **labels: str) -> Metric:
    """Labels whose value is always 1."""
    return gauges(name, help, tuple(labels), {tuple(labels.values()): 1})


def gauges(name: str, help: str, labels: tuple[str, ...], values: Mapping[Labels, float]) -> Metric:
    """Numbers by label values."""
    family = GaugeMetricFamily(name, help, labels=labels)
    _fill(family, values.items())
    return family


def counters(name: str, help: str, labels: tuple[str, ...], values: Mapping[Labels, float]) -> Metric:
    """Numbers that only grow, by label values. `name` without `_total`."""
    family = CounterMetricFamily(name, help, labels=labels)
    _fill(family, values.items())
    return family


def _fill(family: GaugeMetricFamily | CounterMetricFamily, values: Iterable[tuple[Labels, float]]) -> None:
    for labels, value in values:
        family.add_metric(labels, value)
