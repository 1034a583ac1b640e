import pandas as pd
import pytest

from describe_compositions import main
from polyfacet.facets.text.composition import VARIANTS, composition_text
from polyfacet.facets.text.variants import FORMULA_TEXTS
from polyfacet.materials.formula import MAX_AMOUNT, FormulaError, parse_formula
from polyfacet.materials.stage_tables import TEXTS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS


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
        ("Fe73Nb4Hf3Y0B20", "Fe 73 Nb 4 Hf 3 B 20"),
        ("Fe0.000000000001Ni", "Fe 0.000000000001 Ni"),
        ("H1000000", "H 1000000"),
    ],
)
def test_text_keeps_the_order_of_the_formula_and_omits_amounts_of_one(formula, text):
    assert composition_text(formula, "composition") == text


def test_fractions_do_not_depend_on_the_formula_unit():
    assert composition_text("AcHg2Cd2", "composition_fraction") == "Ac 0.2 Hg 0.4 Cd 0.4"
    assert composition_text("Ac3Hg6Cd6", "composition_fraction") == "Ac 0.2 Hg 0.4 Cd 0.4"
    assert composition_text("Fe3", "composition_fraction") == "Fe 1"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("AcHg2Cd2", "Cd 0.4 Hg 0.4 Ac 0.2"),
        ("Cd4Hg4Ac2", "Cd 0.4 Hg 0.4 Ac 0.2"),
        ("H2O", "H 0.6667 O 0.3333"),
        ("Fe", "Fe 1"),
        ("C0.05Fe0.95", "Fe 0.95 C 0.05"),
        # A third of three and a third of 0.3 differ in their last bit.
        ("OFLi", "Li 0.3333 O 0.3333 F 0.3333"),
        ("O0.1F0.1Li0.1", "Li 0.3333 O 0.3333 F 0.3333"),
    ],
)
def test_crabnet_pairs_are_sorted_for_any_formula_unit_and_order(formula, text):
    assert composition_text(formula, "crabnet") == text


def test_variants_are_those_of_the_configuration():
    assert tuple(VARIANTS) == FORMULA_TEXTS


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
        ("Fe0", "all amounts are zero"),
        ("Fe0.0Ni0", "all amounts are zero"),
        ("H99999999", "amount of H is above"),
        ("((H9999)9999)9999", "amount of H is above"),
        ("((((H9999)9999)9999)9999)9999", "amount of H is above"),
        ("Fe1.2.3", "two amounts in a row"),
        ("Fe 2 3", "two amounts in a row"),
        ("Ca(OH", "cannot be read"),
        ("Ca)OH(2", "cannot be read"),
        ("H()2", "cannot be read"),
        ("2H2O", "cannot be read"),
    ],
)
def test_invalid_formula_is_rejected_with_a_reason(formula, reason):
    with pytest.raises(FormulaError, match=reason):
        parse_formula(formula)


def test_largest_amount_is_accepted():
    assert parse_formula(f"H{MAX_AMOUNT:.0f}") == {"H": MAX_AMOUNT}


def test_the_stage_writes_texts_and_rejects(tmp_path, write_sample):
    materials = write_sample({"b": "AcHg2Cd2", "a": "Xx2", "c": "Fe"})
    main(
        materials,
        tmp_path / "text.parquet",
        tmp_path / "rejected.parquet",
        provenance=tmp_path / "provenance.json",
        form="composition",
        shard=0,
        n_shards=1,
        max_rejected_fraction=0.5,
    )
    expected = pd.DataFrame({"mat_id": ["b", "c"], "text": ["Ac Hg 2 Cd 2", "Fe"]})
    pd.testing.assert_frame_equal(read_table(tmp_path / "text.parquet", TEXTS), expected)
    rejects = read_table(tmp_path / "rejected.parquet", REJECTS)
    assert list(rejects["mat_id"]) == ["a"]
    assert "unknown element" in rejects["reason"][0]


def test_the_stage_stops_when_too_many_formulas_are_invalid(tmp_path, write_sample):
    materials = write_sample({"a": "Xx2", "c": "Fe"})
    with pytest.raises(UserError, match="1 of 2 materials were rejected"):
        main(
            materials,
            tmp_path / "text.parquet",
            tmp_path / "rejected.parquet",
            provenance=tmp_path / "provenance.json",
            form="composition",
            shard=0,
            n_shards=1,
            max_rejected_fraction=0.05,
        )
    assert not (tmp_path / "text.parquet").exists()
    assert len(read_table(tmp_path / "rejected.parquet", REJECTS)) == 1
