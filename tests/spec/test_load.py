"""Loading of whole specs: what a valid one becomes, and what each fault says."""

# ruff: noqa: E501  # one fault per line reads best

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from glassbench.errors import SpecError
from glassbench.spec import load_spec, read_header
from glassbench.spec.model import Bound, Interval, Margin, ScoreRef, Spec, TrendLimits

if TYPE_CHECKING:
    from pathlib import Path

    from glassbench.stage import Stage

Load = Callable[[str], Spec]


def test_valid_spec(load: Load, demo: str) -> None:
    """A valid spec becomes typed stages with all defaults, and checks per scale."""
    spec = load(demo)
    glass = spec.stages["glass"]
    assert (spec.key, spec.spec_version, spec.paper.authors) == ("demo-2020", 1, ("A. Author",))
    assert list(spec.stages) == ["glass", "volume", "scores"]
    assert (glass.stage.uses, glass.samples, glass.line) == ("demo.source@1", 10, 6)
    assert glass.params["composition"] == {"Cu": 0.5, "Zr": 0.5}
    assert glass.params["file"].name == "glass.txt"
    assert isinstance(glass.params["melt_temperature_K"], float)
    assert spec.stages["volume"].params["cutoffs_A"] == (3.0, 4.0)
    assert spec.stages["scores"].inputs == {"measure": "volume"}
    assert spec.scales["smoke"]["glass"] == {"samples": 2, "n_atoms": 50}
    assert spec.published["size"].value == 3.0
    assert spec.deviations == {"volume": "radical planes, not bisecting ones"}


def test_valid_checks(load: Load, demo: str) -> None:
    """Each form of a check keeps its scores and what each scale accepts."""
    checks = {check.claim: check for check in load(demo).checks}
    laptop = Interval(-0.1, 0.2, relative=True)
    assert checks["size"].accept == {"paper": Interval(-0.1, 0.1), "laptop": laptop}
    assert laptop.around(-2.0) == pytest.approx((-2.2, -1.6))
    assert checks["heavier"].scores[0] == ScoreRef("scores", "mass", {"species": "Zr"})
    assert checks["heavier"].accept == {"laptop": Margin(0.1), "paper": Margin(0.1)}
    assert checks["rise"].accept == {"laptop": TrendLimits(0.01, 0.5)}
    assert (checks["rise"].sign, len(checks["rise"].scores)) == ("rises", 2)
    assert checks["form"].bounds == (Bound(ScoreRef("scores", "r_cut"), 9.0, 1.0),)
    assert list(checks["form"].accept) == ["smoke"]
    assert checks["zero"].expect_miss == "rounding"
    assert (checks["later"].kind, checks["later"].not_run) == ("not_run", "no stage for it yet")


def test_a_paper_may_lack_its_doi(load: Load, demo: str) -> None:
    """It is not always known, and not made up then."""
    assert load(demo).paper.doi == "10.1000/demo"
    assert load(demo.replace("doi: 10.1000/demo, ", "")).paper.doi is None


def test_scores_of_one_rank(load: Load, demo: str) -> None:
    """A list among the scores of an order is one rank, compared with the next and not in itself."""
    text = demo.replace(
        "      - {score: scores.mass, at: {species: Cu}}\n",
        "      - [{score: scores.mass, at: {species: Cu}}, {score: scores.r_cut}]\n",
    )
    check = next(check for check in load(text).checks if check.claim == "heavier")
    assert (check.ranks, check.steps) == ((0, 1, 1), [(0, 1), (0, 2)])


def test_read_header(demo: str, tmp_path: Path) -> None:
    """The header is read without stages, and its faults are told."""
    path = tmp_path / "demo-2020.yml"
    path.write_text(demo)
    assert read_header(path) == ("demo-2020", "A demo", "The demo works.", 2020)
    path.write_text("spec_version: 1\nkey: demo-2020\n")
    with pytest.raises(SpecError, match="the field 'paper' of the spec is missing"):
        read_header(path)


FAULTS = {
    # the top level
    "newer": ("spec_version: 1", "spec_version: 2", "1:15: spec_version: the spec is written for a newer"),
    "version": ("spec_version: 1", "spec_version: one", "no version of the spec format"),
    "unknown": ("assumed:", "asumed:", r"no field of a spec 'asumed'(?s:.)*did you mean 'assumed'\?"),
    "missing": ("claim: The demo works.\n", "", "1:1: the field 'claim' of the spec is missing"),
    "key": ("key: demo-2020", "key: demo-2021", "2:6: key: the key is not the name of the file"),
    "bad_key": ("key: demo-2020", "key: Demo_2020", "this cannot be a key"),
    "year": ("year: 2020", "year: 202", "paper.year: the value is out of its interval"),
    "no_title": ("title: A demo, ", "", "paper: the parameter 'title' is missing"),
    "authors": ("authors: [A. Author]", "authors: A. Author", "paper.authors: expected a list"),
    # stages
    "stage": ("demo.source@1", "demo.sauce@1", r"no stage 'demo.sauce@1'(?s:.)*did you mean 'demo.source@1'"),
    "no_stage": ("demo.source@1", "nothing", r"no stage 'nothing'(?s:.)*`glassbench stages` lists"),
    "stage_version": ("demo.measure@2", "demo.measure@1", r"no such version(?s:.)*expected +demo.measure@2"),
    "stage_bare": ("demo.measure@2", "demo.measure", "the stage needs its version"),
    "stage_id": ("  scores: {uses", "  More: {uses: demo.score@1, from: {measure: volume}}\n  scores: {uses", "'More' cannot name a stage"),
    "stage_field": ("samples: 5}", "sample: 5}", "there is no field of a stage 'sample'"),
    "no_uses": ("{uses: demo.measure@2, from", "{from", "stages.volume: the stage does not say what"),
    "no_source": ("{glass: glass}", "{glass: glas}", r"no such stage in this spec(?s:.)*did you mean 'glass'"),
    "no_input": ("{glass: glass}", "{galss: glass}", "no input of demo.measure@2 'galss'"),
    "input_missing": ("from: {measure: volume}, ", "", "the input 'measure' of demo.score@1 is missing"),
    "makes": ("{measure: volume}", "{measure: glass}", r"does not make atomic_volume(?s:.)*that fit: volume"),
    "circle": ("{glass: glass}", "{glass: volume}", "got +volume -> volume"),
    "samples_missing": ("    samples: 10\n", "", "the number of samples is missing"),
    "samples_protocol": ("{uses: demo.score@1,", "{uses: demo.score@1, samples: 2,", "runs once for all samples"),
    "samples_zero": ("samples: 10", "samples: 0", "got +0\n +expected +an integer >= 1"),
    "samples_many": ("samples: 5}", "samples: 11}", "volume asks for 11 samples, but its inputs have 10"),
    "param_missing": ("      seed: 7\n", "", r"the parameter 'seed' is missing(?s:.)*an integer >= 0"),
    "param_doc": ("      n_atoms: 500\n", "", "to do +Number of atoms in the cell."),
    "param_unknown": ("share: 0.2", "shar: 0.2", r"no parameter 'shar'(?s:.)*did you mean 'share'"),
    "param_range": ("share: 0.2", "share: 1.2", r"scores.with.share: the value(?s:.)*a number > 0 and < 1"),
    "param_meant": ("seed: 7", "sede: 7", "there is no parameter 'sede'"),
    "field_meant": ("checks:", "check:", "there is no field of a spec 'check'"),
    # assumed, deviations
    "assumed_stage": ("glass.seed: the", "glas.seed: the", "there is no stage 'glas'"),
    "assumed_param": ("glass.seed: the", "glass.sed: the", "there is no parameter 'sed' of glass"),
    "assumed_deep": ("composition.Cu", "composition.Cr", r"there is no value 'Cr'(?s:.)*expected +Cu, Zr"),
    "assumed_whole": ("glass.seed: the", "glass: the", "the path names no value"),
    "no_reason": ("glass.seed: the paper has no seeds", "glass.seed:", "assumed.glass.seed: expected text"),
    # scales
    "no_smoke": ("  smoke:", "  smoky:", "the scale 'smoke' is missing"),
    "paper_scale": ("  laptop: {glass", "  paper: {}\n  laptop: {glass", "own scale takes no overlay"),
    "scale_name": ("  laptop: {glass", "  Big: {}\n  laptop: {glass", "'Big' cannot name a scale"),
    "scale_stage": ("laptop: {glass", "laptop: {gloss", "there is no stage in this spec 'gloss'"),
    "scale_param": ("n_atoms: 50}", "n_atom: 50}", "there is no number of demo.source@1 'n_atom'"),
    "scale_value": ("n_atoms: 50}", "n_atoms: 1}", "scales.smoke.glass.n_atoms: the value is out"),
    "scale_samples": (", volume: {samples: 2}", "", "got +samples: 5 at scale smoke"),
    "scale_no_samples": ("{samples: 5}}", "{samples: 5}, scores: {samples: 2}}", "no number of demo.score@1 'samples'"),
    # checks
    "no_claim": ("claim: size\n", "claim: seize\n", r"no claim 'seize'(?s:.)*did you mean 'size'"),
    "unnamed": ("{claim: later, not_run", "{not_run", "the check does not name its claim"),
    "twice": ("claim: later", "claim: zero", "the claim 'zero' has two checks"),
    "unchecked": ("  - {claim: later, not_run: no stage for it yet}\n", "", "got +no check for later"),
    "no_form": ("not_run: no stage for it yet", "why: text", "must have exactly one form"),
    "two_forms": ("not_run: no", "score: scores.r_cut, not_run: no", "got +score, not_run"),
    "check_field": ("margin: 0.1", "margins: 0.1", "there is no field of a check by order 'margins'"),
    "no_why": ("    why: noise\n", "", "the check does not say why"),
    "no_miss_reason": ("    reason: rounding\n", "", "got +only `expect`"),
    "expect_hit": ("expect: miss", "expect: hit", r"checks.zero.expect: this choice(?s:.)*miss"),
    "no_value": ("shape: [{score: scores.r_cut, above: 1, below: 9}]\n    accept: [smoke]", "score: scores.r_cut\n    accept: {paper: {abs: [0, 0]}, laptop: {abs: [0, 0]}}", "prints no value for 'form'"),
    "score_stage": ("score: scores.r_cut\n", "score: scrs.r_cut\n", "no stage 'scrs' in this spec"),
    "score_variable": ("score: scores.r_cut, above", "score: scores.rcut, above", "'scores' does not make 'rcut'"),
    "score_dim": ("at: {species: Zr}", "at: {spices: Zr}", "no dim of mass 'spices'"),
    "score_free": (", at: {species: Zr}", "", r"scores.mass is not a single number(?s:.)*free dims species"),
    "trend_free": ("x: {score: scores.mass}", "x: {score: scores.r_cut}", "not a list of numbers along one dim"),
    "trend_dims": ("x: {score: scores.mass}", "x: {score: volume.atomic_volume, at: {sample: 0}}", "do not run along the same dim"),
    "trend_field": (", sign: rises}", "}", "the field 'sign' is missing"),
    "trend_sign": ("sign: rises", "sign: rise", "did you mean 'rises'"),
    "one_order": ("      - {score: scores.mass, at: {species: Cu}}\n", "", "an order needs two scores or more"),
    "no_bound": (", above: 1, below: 9}", "}", "this part of the shape has no bound"),
    "no_room": ("above: 1, below: 9}", "above: 9, below: 1}", "no number is below and above"),
    "empty_shape": ("[{score: scores.r_cut, above: 1, below: 9}]", "[]", "the shape has no part"),
    "no_accept": ("    accept: {paper: {abs: [0, 0]}, laptop: {abs: [0, 0]}}\n", "", "does not say what it accepts"),
    "accept_laptop": (", laptop: {rel: [-0.1, 0.2]}", "", "the check accepts nothing at scale 'laptop'"),
    "accept_scale": ("laptop: {rel", "lap_top: {rel", "there is no scale 'lap_top'"),
    "accept_list": ("accept: [smoke]", "accept: [smokey]", "there is no scale 'smokey'"),
    "accept_both": ("{rel: [-0.1, 0.2]}", "{rel: [0, 1], abs: [0, 1]}", "either `abs` or `rel`"),
    "accept_length": ("[-0.1, 0.2]", "[-0.1]", "expected 2 items"),
    "accept_side": ("[-0.1, 0.2]", "[0.1, 0.2]", "does not hold the published value itself"),
    "rel_of_zero": ("{paper: {abs: [0, 0]}", "{paper: {rel: [0, 0]}", "relative tolerance of a published 0"),
    "p_value": ("p_below: 0.01", "p_below: 0", "checks.rise.accept.laptop.p_below: the value is out"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, load: Load, demo: str) -> None:
    """Every fault is told by itself, with its line and a caret, in one screen."""
    old, new, match = FAULTS[name]
    assert demo.count(old) >= 1
    with pytest.raises(SpecError, match=match) as caught:
        load(demo.replace(old, new, 1))
    lines = str(caught.value).splitlines()
    assert re.search(r"demo-2020\.yml:\d+:\d+: ", lines[0])
    assert any(line.rstrip().endswith("^") for line in lines)
    assert len(lines) <= 7


def test_faults_together(load: Load, demo: str) -> None:
    """Independent faults are shown in file order, and what one screen cannot hold is counted."""
    text = demo.replace("share: 0.2", "share: 2").replace("n_atoms: 500", "n_atoms: 1")
    text = text.replace("glass.seed:", "glass.sed:").replace("sign: rises", "sign: rise")
    text = text.replace("expect: miss", "expect: hit").replace("n_atoms: 50}", "n_atoms: x}")
    with pytest.raises(SpecError, match=r"demo-2020.yml: 6 errors") as caught:
        load(text)
    message = str(caught.value)
    lines = [int(number) for number in re.findall(r"\.yml:(\d+):", message)]
    assert lines == sorted(lines)
    assert re.search(r"and \d more$", message)
    assert len(message.splitlines()) <= 26


def test_claims_missing(demo: str, registry: dict[str, Stage], tmp_path: Path) -> None:
    """A spec without published numbers is told where they belong; beside it is one place."""
    path = tmp_path / "demo-2020.yml"
    path.write_text(demo.replace("      file: glass.txt\n", ""))
    with pytest.raises(SpecError, match="published numbers of demo-2020 are not there"):
        load_spec(path, registry, tmp_path)


def test_unknown_scale(load: Load, demo: str) -> None:
    """A scale that the spec does not have is answered by those that it has."""
    with pytest.raises(SpecError, match="expected smoke, laptop, paper"):
        load(demo).at_scale("desktop")
