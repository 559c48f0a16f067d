"""The spec that ``glassbench new`` writes: small, complete, and it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glassbench.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

SPEC = """\
# Change this into the protocol of your paper. `glassbench stages` lists what can be used,
# `glassbench stages NAME` describes one stage, `glassbench check {key}` explains mistakes.
spec_version: 1
key: {key}
paper:
  title: Title of the paper
  doi: 10.1000/example
  authors: [First Author]
  journal: Journal, volume, page
  year: 2020
claim: One sentence that the report confirms or denies.

# The stages in reading order, with the values of the paper: this is the `paper` scale.
stages:
  potential:
    uses: md.potential@1
    with:
      file: Cu-Zr_2009.eam.fs
      sha256: 7871ba1196a490973d8eb941aefba250a3b9db5b772628157fd937a9a5f9ba39

  glass:
    uses: md.melt_quench@1
    from: {{potential: potential}}
    samples: 10  # and, for a series of glasses, `series: {{label: {{parameter: value}}, ...}}`
    with:
      composition: {{Cu: 0.5, Zr: 0.5}}
      n_atoms: 16000
      schedule:
        - {{to_K: 50, rate_K_per_s: 1e12}}
      seed: 1

  vibration:
    uses: md.vibration@1
    from: {{glass: glass, potential: potential}}
    with: {{temperature_K: 50, n_runs: 50, equilibration_ps: 2, sampling_ps: 10, seed: 2}}

  voronoi:
    uses: features.voronoi@1
    from: {{glass: glass}}

  score:
    uses: scores.pearson@1
    from: {{glass: glass, x: voronoi, y: vibration}}
    with: {{x_variable: five_fold_symmetry, y_variable: vibrational_msd, y_log: true, seed: 3}}

# Every value that the paper does not give, and why this one.
assumed:
  vibration.equilibration_ps: A few periods of the softest modes.

# Overlays: other numbers for the same stages, never other stages.
scales:
  smoke:
    glass:
      samples: 2
      n_atoms: 500
      melt_ps: 5
      schedule: [{{to_K: 50, rate_K_per_s: 2e14}}]
    vibration: {{n_runs: 2, equilibration_ps: 0.5, sampling_ps: 1}}
  laptop:
    glass:
      samples: 4
      n_atoms: 2000
      schedule: [{{to_K: 50, rate_K_per_s: 1e13}}]
    vibration: {{n_runs: 10, equilibration_ps: 1, sampling_ps: 5}}

# One check per claim in reference_data/{key}/claims.yml.
checks:
  - claim: example
    score: score.pearson_r
    at: {{species: Cu}}
    accept: {{paper: {{abs: [-0.05, 0.05]}}, laptop: {{abs: [-0.1, 0.1]}}}}
    why: Say why these tolerances.
"""

CLAIMS = """\
# What the paper claims, one entry per published number, ordering or trend, typed from its text.
source: Where these were read, and what was digitised from figures.
claims:
  - id: example
    kind: value
    where: Fig. 1
    claim: correlation of descriptor and mobility
    value: -0.3
    unit: "1"
"""


def write_template(key: str, folder: Path) -> list[Path]:
    """Write a spec and its table of claims to start from.

    Parameters
    ----------
    key
        Key of the new spec.
    folder
        Where the folders ``specs`` and ``reference_data`` are, or are made.

    Returns
    -------
        The two files.

    Raises
    ------
    SpecError
        If the key is malformed or one of the files exists; then nothing is written.
    """
    if KEY.fullmatch(key) is None:
        raise SpecError(
            "a key has small letters, digits and single hyphens", got=key, expected="softness-2016"
        )
    texts = {
        folder / "specs" / f"{key}.yml": SPEC,
        folder / "reference_data" / key / "claims.yml": CLAIMS,
    }
    for path in texts:
        if path.exists():
            raise SpecError(
                "the file is there already", where=str(path), remedy="choose another key"
            )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(key=key))
    return list(texts)
