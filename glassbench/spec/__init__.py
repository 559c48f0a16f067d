"""Specs: YAML files that say what to run for a paper, and the dataclasses they become."""

from __future__ import annotations

from glassbench.spec.canonical import canonical_params
from glassbench.spec.load import Header, load_spec, read_header
from glassbench.spec.schema import spec_schema

__all__ = ["Header", "canonical_params", "load_spec", "read_header", "spec_schema"]
