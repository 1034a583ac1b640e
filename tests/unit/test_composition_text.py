from pathlib import Path

import pandas as pd
import pytest

from describe_compositions import main
from polyfacet.composition.formula import MAX_AMOUNT, FormulaError, parse_formula
from polyfacet.composition.text import VARIANTS, composition_text
from polyfacet.errors import UserError
from polyfacet.rejects import REJECTS
from polyfacet.stage_tables import TEXTS
from polyfacet.tables import read_table


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("AcHg2Cd2", "Ac Hg 2 Cd 2"),
        ("Fe", "Fe"),
        ("CO", "C O"),
        ("Co", "Co"),
        ("Ca(OH)2", "Ca O 2 H 2"),
        ("K4[Fe(CN)6]", "K 4 Fe C 6 N 6"),
        ("CH3COOH", "C 2 H 4 O 2"),
        ("Fe0.5Ni.5", "Fe 0.5 Ni 0.5"),
        ("Na 2 Cl", "Na 2 Cl"),
        ("CmO2", "Cm O 2"),
        ("H1000000", "H 1000000"),
    ],
)
def test_text_keeps_the_order_of_the_formula_and_leaves_out_ones(formula, text):
    assert composition_text(formula, "composition") == text


def test_fractions_do_not_depend_on_the_formula_unit():
    assert composition_text("AcHg2Cd2", "composition_fraction") == "Ac 0.2 Hg 0.4 Cd 0.4"
    assert composition_text("Ac3Hg6Cd6", "composition_fraction") == "Ac 0.2 Hg 0.4 Cd 0.4"
    assert composition_text("Fe3", "composition_fraction") == "Fe 1"


def test_variants_are_those_of_the_configuration():
    schema = Path(__file__).parents[2] / "config" / "schema.yaml"
    yaml = pytest.importorskip("yaml")
    choices = yaml.safe_load(schema.read_text())["properties"]["composition"]["properties"]["text"]["enum"]
    assert set(choices) == set(VARIANTS)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("", "names no element"),
        ("  ", "names no element"),
        ("2", "names no element"),
        ("Xx2", "unknown element 'Xx'"),
        ("D2O", "unknown element 'D'"),
        ("fe2", "has 'f' at position 1"),
        ("Fe-2", "has '-' at position 3"),
        ("Fe1e400", "has 'e' at position 4"),
        ("Fe2+", r"has '\+' at position 4"),
        ("Fe0", "amount of Fe is zero"),
        ("Fe0.0Ni2", "amount of Fe is zero"),
        ("Fe0.000000000001Ni", "amount of Fe is zero"),
        ("H99999999", "amount of H is above"),
        ("((H9999)9999)9999", "amount of H is above"),
        ("((((H9999)9999)9999)9999)9999", "cannot be read"),
        ("Fe1.2.3", "two amounts in a row"),
        ("Fe 2 3", "two amounts in a row"),
        ("Ca(OH", "cannot be read"),
        ("Ca)OH(2", "cannot be read"),
        ("H()2", "cannot be read"),
        ("2H2O", "cannot be read"),
    ],
)
def test_a_formula_that_is_none_is_refused_with_the_reason(formula, reason):
    with pytest.raises(FormulaError, match=reason):
        parse_formula(formula)


def test_the_largest_amount_is_still_read():
    assert parse_formula(f"H{MAX_AMOUNT:.0f}") == {"H": MAX_AMOUNT}


def test_the_stage_writes_texts_and_rejects(tmp_path, write_sample):
    materials = write_sample({"b": "AcHg2Cd2", "a": "Xx2", "c": "Fe"})
    main(
        materials,
        tmp_path / "text.parquet",
        tmp_path / "rejected.parquet",
        variant="composition",
        max_rejected_fraction=0.5,
    )
    expected = pd.DataFrame({"mat_id": ["b", "c"], "text": ["Ac Hg 2 Cd 2", "Fe"]})
    pd.testing.assert_frame_equal(read_table(tmp_path / "text.parquet", TEXTS), expected)
    rejects = read_table(tmp_path / "rejected.parquet", REJECTS)
    assert list(rejects["mat_id"]) == ["a"]
    assert "unknown element" in rejects["reason"][0]


def test_the_stage_stops_when_too_many_formulas_are_bad(tmp_path, write_sample):
    materials = write_sample({"a": "Xx2", "c": "Fe"})
    with pytest.raises(UserError, match="1 of 2 materials were rejected"):
        main(
            materials,
            tmp_path / "text.parquet",
            tmp_path / "rejected.parquet",
            variant="composition",
            max_rejected_fraction=0.05,
        )
    assert not (tmp_path / "text.parquet").exists()
    assert len(read_table(tmp_path / "rejected.parquet", REJECTS)) == 1
