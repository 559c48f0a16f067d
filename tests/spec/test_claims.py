"""Published numbers: the file form and its faults, and the files that are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from glassbench.data import reference_folder
from glassbench.errors import SpecError
from glassbench.spec.claims import read_claims

if TYPE_CHECKING:
    from pathlib import Path

CLAIM = "{id: a, kind: value, where: Fig. 1, claim: text, value: 0.5, unit: '1'}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"claims: [{CLAIM}]", "the field 'source' is missing"),
        ("source: text", "the field 'claims' is missing"),
        (f"source: text\nclaims: [{CLAIM}]\nextra: 1", "no field of claims 'extra'"),
        (f"source: text\nclaims: [{CLAIM}, {CLAIM}]", "the claim 'a' is given twice"),
        (f"source: text\nclaims: [{CLAIM.replace('claim', 'clam')}]", "did you mean 'claim'?"),
        (f"source: text\nclaims: [{CLAIM.replace('value,', 'no,')}]", "choice is not offered"),
        (f"source: text\nclaims: [{CLAIM.replace('0.5', 'half')}]", "expected a number"),
        (f"source: no\nclaims: [{CLAIM}]", "which YAML reads as true or false"),
    ],
)
def test_refusals(text: str, message: str, tmp_path: Path) -> None:
    """A file of claims is read as strictly as a spec."""
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_claims(path)
    assert message in str(caught.value)


def test_structural_flexibility() -> None:
    """The claims of Fan, Ding and Ma (2020) are all there, with the printed headline numbers."""
    claims = read_claims(reference_folder() / "sf-2020" / "claims.yml")
    assert len(claims) == 24
    assert (claims["rho_cu"].value, claims["rho_zr"].value) == (0.84, 0.82)
    assert claims["barrier_contrast_cu"].unit == "eV"
