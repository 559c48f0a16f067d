"""Series of samples in specs: what they become, at every scale, and what each fault says."""

# ruff: noqa: E501  # one fault per line reads best

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from glassbench.errors import SpecError
from glassbench.spec import spec_schema
from glassbench.spec.model import Spec

if TYPE_CHECKING:
    from glassbench.stage import Stage

Load = Callable[[str], Spec]
SERIES = """\
    series:
      hot: {melt_temperature_K: 4000}
      Zr70: {composition: {Cu: 0.3, Zr: 0.7}, relax: false}
      plain: {}
"""
OTHER = """\
  other:
    uses: demo.source@1
    samples: 5
    with: {n_atoms: 500, composition: {Cu: 1}, schedule: [], seed: 8}
"""
BOTH = """\
  both:
    uses: demo.combine@1
    from: {glass: glass, guest: other}
    with: {families: {guest: mass}}
"""


@pytest.fixture
def text(demo: str) -> str:
    """Return the demo with a series of three members."""
    return demo.replace("    samples: 10\n", f"    samples: 10\n{SERIES}")


def test_members_are_overlays_of_parameters(load: Load, text: str) -> None:
    """Typed as parameters are; what a member does not name is that of the stage."""
    glass = load(text).stages["glass"]
    assert list(glass.series) == ["hot", "Zr70", "plain"]
    assert glass.series["hot"] == {"melt_temperature_K": 4000.0}
    hot = glass.of_member("hot")
    assert isinstance(hot.params["melt_temperature_K"], float)
    assert (hot.params["melt_temperature_K"], hot.params["n_atoms"]) == (4000.0, 500)
    assert (hot.samples, hot.series) == (10, {})
    assert glass.of_member("plain").params == glass.params


def test_all_stages_know_the_members(load: Load, text: str) -> None:
    """Those that take the samples too, and the one that joins them; sample numbers go round."""
    protocol = load(text).at_scale("paper")
    for stage_id in ("glass", "volume", "scores"):
        assert protocol.members(stage_id) == ("hot", "Zr70", "plain")
    assert protocol.label_samples("volume", [0, 4, 6]) == ("hot", "Zr70", "hot")


def test_plain_stages_have_no_members(load: Load, demo: str) -> None:
    """Nothing is labelled then."""
    protocol = load(demo).at_scale("paper")
    assert protocol.members("volume") == ()
    assert protocol.label_samples("volume", [0, 1]) == ()
    assert protocol.stages["glass"].series == {}


def test_scales_replace_the_series_whole(load: Load, text: str) -> None:
    """Parameters of a scale are those of all members that do not name them."""
    smoke = "smoke: {glass: {samples: 2, n_atoms: 50, series: {cold: {seed: 9}}}, volume"
    spec = load(re.sub("smoke: .*, volume", smoke, text))
    glass = spec.at_scale("smoke").stages["glass"]
    assert glass.series == {"cold": {"seed": 9}}
    assert (glass.of_member("cold").params["n_atoms"], glass.samples) == (50, 2)
    assert spec.at_scale("laptop").stages["glass"].series == spec.stages["glass"].series
    assert spec.differences("smoke")["glass.series"] == (spec.stages["glass"].series, glass.series)
    assert "glass.series" not in spec.differences("laptop")


def test_counts_are_those_of_each_member(load: Load, text: str) -> None:
    """Ten of each are made, so that eleven of each cannot be taken."""
    assert load(text.replace("samples: 5}", "samples: 10}"))
    with pytest.raises(SpecError, match="volume asks for 11 samples, but its inputs have 10"):
        load(text.replace("samples: 5}", "samples: 11}"))


def test_reasons_may_be_given_for_members(load: Load, text: str) -> None:
    """For the series, for a member, and for a value of it."""
    for path in ("series", "series.hot", "series.Zr70.composition.Cu"):
        assert load(text.replace("glass.seed:", f"glass.{path}:"))
    with pytest.raises(
        SpecError, match=r"there is no value 'cold'(?s:.)*expected +hot, Zr70, plain"
    ):
        load(text.replace("glass.seed:", "glass.series.cold:"))


FAULTS = {
    "parameter": ("melt_temperature_K: 4000", "melt_temp_K: 4000", r"10:13: stages.glass.series.hot.melt_temp_K: there is no parameter 'melt_temp_K'(?s:.)*did you mean 'melt_temperature_K'"),
    "range": ("melt_temperature_K: 4000", "melt_temperature_K: -1", r"10:33: stages.glass.series.hot.melt_temperature_K: the value is out of its interval"),
    "type": ("relax: false", "relax: maybe", "expected true or false"),
    "deep": ("Zr: 0.7", "Zr: 1.7", r"series.Zr70.composition.Zr: the value is out"),
    "member": ("plain: {}", "plain: 3", r"series.plain: expected a mapping"),
    "list": (SERIES, "    series: [hot, cold]\n", "series: expected a mapping"),
    "empty": (SERIES, "    series: {}\n", "the series has no member"),
    "label": ("hot: {", "hot.er: {", "'hot.er' cannot name a member of a series"),
    "same": ("plain: {}", "plain: {}\n      again: {seed: 7}", r"members 'plain' and 'again' of glass are the same(?s:.)*at scale paper"),
    "no_source": ("samples: 5}", "samples: 5, series: {a: {}}}", "demo.measure@2 makes no samples here"),
    "protocol": ("with: {share: 0.2}", "series: {a: {}}", "demo.score@1 makes no samples here"),
    "scale": ("n_atoms: 50}", "n_atoms: 50, series: {a: {n_atom: 3}}}", r"scales.smoke.glass.series.a.n_atom: there is no parameter"),
    "scale_empty": ("n_atoms: 50}", "n_atoms: 50, series: {}}", r"scales.smoke.glass.series: the series has no member"),
    "scale_same": ("n_atoms: 50}", "n_atoms: 50, series: {a: {n_atoms: 50}, b: {}}}", r"27:3: scales.smoke: the members 'a' and 'b' of glass are the same(?s:.)*at scale smoke"),
    "scale_other": ("volume: {samples: 2}", "volume: {samples: 2, series: {a: {}}}", "no series that this could replace"),
    "scale_protocol": ("smoke: {", "smoke: {scores: {series: {a: {}}}, ", "there is no number of demo.score@1 'series'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, load: Load, text: str) -> None:
    """Every fault is told by itself, with its line and a caret, in one screen."""
    old, new, match = FAULTS[name]
    assert text.count(old) >= 1
    with pytest.raises(SpecError, match=match) as caught:
        load(text.replace(old, new, 1))
    lines = str(caught.value).splitlines()
    assert re.search(r"demo-2020\.yml:\d+:\d+: ", lines[0])
    assert any(line.rstrip().endswith("^") for line in lines)
    assert len(lines) <= 7


def test_plain_stage_gains_no_series_at_a_scale(load: Load, demo: str) -> None:
    """Whether there is one is the same at every scale."""
    with pytest.raises(SpecError, match="no series that this could replace"):
        load(demo.replace("n_atoms: 50}", "n_atoms: 50, series: {a: {}}}"))


def test_series_are_not_mixed(load: Load, text: str) -> None:
    """Sample 3 of one series is another member than sample 3 of another one, or of none."""
    mixed = text.replace("assumed:\n", f"{OTHER}{BOTH}assumed:\n")
    with pytest.raises(
        SpecError, match=r"both are not samples of one series(?s:.)*hot, Zr70, plain; other: no ser"
    ):
        load(mixed)
    series = "    series: {hot: {}, Zr70: {seed: 1}, plain: {seed: 2}}\n"
    same = mixed.replace("samples: 5\n", f"samples: 5\n{series}")
    assert load(same).at_scale("paper").members("both") == ("hot", "Zr70", "plain")


def test_members_name_variables_that_are_made(load: Load, text: str) -> None:
    """A stage that decides what it makes decides it for all members."""
    watch = (
        "  watched: {uses: demo.watch@1, from: {glass: glass}, with: {observe: [motion]},\n"
        "    series: {a: {observe: [shape]}}}\n"
    )
    with pytest.raises(
        SpecError, match=r"series.a.observe: 'observe' decides(?s:.)*in all members"
    ):
        load(text.replace("assumed:\n", f"{watch}assumed:\n"))


@pytest.fixture(scope="module")
def validator(registry: Mapping[str, Stage]) -> jsonschema.Draft202012Validator:
    """Return a validator of the schema on the demo stages."""
    return jsonschema.Draft202012Validator(spec_schema(registry))


def test_schema(validator: jsonschema.Draft202012Validator, text: str) -> None:
    """Members have the parameters of the stage, none of which they must have."""
    plain = text.replace("5e-1", "0.5")
    assert list(validator.iter_errors(yaml.safe_load(plain))) == []
    for name in ("parameter", "range", "deep", "member", "list", "empty", "label", "protocol"):
        old, new, _ = FAULTS[name]
        assert list(validator.iter_errors(yaml.safe_load(plain.replace(old, new, 1)))), name
