"""Columns of users that cannot be predicted as they are: each is an error or a reject with its place."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stated_samples import SOURCE, write_stated

import read_objective
from polyfacet.materials.stated_values import stated_value
from polyfacet.runtime.errors import UserError

Read = Callable[..., tuple[pd.Series, pd.DataFrame]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a column ``K`` of these values; it returns values and rejects."""

    def read(
        *values: Any, column: str = "K", limit: float = 1.0, classes: Sequence[str] = ()
    ) -> tuple[pd.Series, pd.DataFrame]:
        sample = write_stated(tmp_path / "sample.parquet", [{"id": "x", "K": value} for value in values])
        table, rejected = tmp_path / "k.parquet", tmp_path / "k.rejected.parquet"
        read_objective.main(
            sample,
            table,
            rejected,
            objective="k",
            source_column=column,
            max_rejected_fraction=limit,
            classes=classes,
        )
        return pd.read_parquet(table)["k"], pd.read_parquet(rejected)

    return read


@pytest.mark.parametrize("value", [98, 98.0, "98", " 98.0\t", "9.8e1", "+98"])
def test_plain_numbers_are_read(read, value):
    values, rejects = read(value)
    assert values.tolist() == [98.0]
    assert rejects.empty


@pytest.mark.parametrize(
    "value", [None, float("nan"), "", " ", "n/a", "NaN", "-", "null", "-999", -999.0, -9999]
)
def test_missing_values_are_masked_and_not_rejected(read, value):
    values, rejects = read(1.0, value, 2.0)
    assert values.isna().tolist() == [False, True, False]
    assert rejects.empty


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("98,5", "K is '98,5', not a number: a decimal comma?"),
        ("1,098.5", "K is '1,098.5', not a number: thousands separators?"),
        ("1 098", "K is '1 098', not a number: thousands separators?"),
        ("98 %", "K is '98 %', not a number: remove the percent sign"),
        ("98.5(3)", "K is '98.5(3)', not a number: state its uncertainty in a separate column"),
        ("98.5±0.3", "K is '98.5±0.3', not a number: state its uncertainty in a separate column"),
        ("<0.1", "K is '<0.1', not a number but a limit"),
        ("> 200", "K is '> 200', not a number but a limit"),
        ("98 GPa", "K is '98 GPa', not a number: a unit?"),
        ("90-98", "K is '90-98', not a number but a range"),
        ("metal", "K is 'metal', not a number"),
        ("2024-03-01", "K is '2024-03-01', not a number but a date"),
        ("#REF!", "K is '#REF!', a spreadsheet error"),
        ("=A1*2", "K is '=A1*2', a spreadsheet formula"),
        ("9.8 x 10^1", "K is '9.8 x 10^1', not a number: write a power of ten as 1.5e-3"),
        ("1/3", "K is '1/3', not a number but a fraction"),
        ("0x1F", "K is '0x1F', not a decimal number but a hexadecimal one"),
        ("−98", "K is '−98', not a number: it contains MINUS SIGN (U+2212)"),  # noqa: RUF001 - as in papers
        ("inf", "K is 'inf', not a finite number"),
        (float("-inf"), "K is -inf, not a finite number"),
        (1e200, "K is 1e+200, not a number up to 1e+100"),
        (10**400, "K is inf, not a finite number"),
        ("1e-400", "K is '1e-400', a number too small to be distinguished from zero"),
        (
            True,
            "K is true, not a number but a truth value: for two classes, write classes: ['true', 'false']",
        ),
        ([1.0, 2.0], "K is a list, not one value"),
        ({"VRH": 98.0, "V": 99.0}, "K is an object, not one value: name one of its fields, K.VRH, K.V"),
        ({}, "K is an empty object"),
    ],
    ids=str,
)
def test_what_is_not_a_number_is_rejected_with_file_row_and_reason(read, value, reason):
    values, rejects = read(1.0, value, 2.0)
    assert values.isna().tolist() == [False, True, False]
    (reject,) = rejects.to_dict("records")
    assert reject["reason"].startswith(reason)
    assert (reject["source_file"], reject["source_position"], reject["mat_id"]) == (SOURCE, 1, "m01")


def test_two_units_in_one_column_are_rejected_where_they_are_named(read):
    values, rejects = read("98", "0.098 TPa", "98 GPa")
    assert values.notna().tolist() == [True, False, False]
    assert rejects["reason"].str.contains("a unit\\? It belongs in the header").all()
    assert rejects["source_position"].tolist() == [1, 2]


def test_a_class_that_was_not_declared_is_rejected(read):
    values, rejects = read("metal", " insulator ", "semimetal", classes=["metal", "insulator"])
    assert values.tolist() == ["metal", "insulator", None]
    assert rejects["reason"].tolist() == ["K is 'semimetal', not one of metal, insulator"]


def test_numbers_among_classes_are_rejected(read):
    values, rejects = read("metal", 1.5, "1", classes=["metal", "insulator"])
    assert values.tolist() == ["metal", None, None]
    assert rejects["reason"].tolist() == [
        "K is '1.5', not one of metal, insulator",
        "K is '1', not one of metal, insulator",
    ]


def test_classes_among_numbers_are_rejected(read):
    values, rejects = read(98.0, "soft", "n/a")
    assert values.isna().tolist() == [False, True, True]
    assert rejects["reason"].tolist() == ["K is 'soft', not a number"]


@pytest.mark.parametrize("classes", [["true", "false"], ["True", "False"]])
@pytest.mark.parametrize(
    "values",
    [(True, False, None), ("{0}", "{1}", ""), ("True", "False", ""), ("TRUE", "FALSE", "")],
    ids=["JSON", "CSV", "Python", "Excel"],
)
def test_a_column_of_truth_values_can_be_two_classes(read, classes, values):
    given = [value.format(*classes) if isinstance(value, str) else value for value in values]
    found, rejects = read(*given, classes=classes)
    assert found.tolist() == [*classes, None]
    assert rejects.empty


@pytest.mark.parametrize("values", [(0, 1), (0.0, 1.0), ("0", "1")], ids=["whole", "made decimal", "text"])
def test_classes_may_be_called_by_numbers(read, values):
    found, _ = read(*values, classes=["0", "1"])
    assert found.tolist() == ["0", "1"]


@pytest.mark.parametrize("name", ["unknown", "-"])
def test_a_class_may_have_the_name_of_a_missing_value(read, name):
    assert read("metal", name, "", classes=["metal", name])[0].tolist() == ["metal", name, None]
    assert read("metal", name, "", classes=["metal"])[0].tolist() == ["metal", None, None]


def test_a_column_that_does_not_exist_is_an_error_with_those_that_there_are(read):
    with pytest.raises(UserError) as refused:
        read(1.0, column="K_VRH")
    said = str(refused.value)
    assert "the objective 'k' is the column 'K_VRH', but the sources have no such column." in said
    assert "Columns of the sources: id, K. Other objectives: gap, e_form" in said


@pytest.mark.parametrize(("column", "meant"), [("k", "K"), ("ID", "id"), ("e_fom", "e_form")])
def test_the_error_names_the_column_that_is_likely_meant(read, column, meant):
    with pytest.raises(UserError, match=f"Did you mean {meant}\\?"):
        read(1.0, column=column)


def test_the_error_names_decimal_commas_in_a_csv_without_a_header(tmp_path):
    # The row `a,1,5`.
    rows = [{"id": "a", "property_1": "1", "property_2": "5"}]
    sample = write_stated(tmp_path / "sample.parquet", rows)
    message = "called property_1, property_2: if its numbers have decimal commas, write points"
    with pytest.raises(UserError, match=message) as refused:
        read_objective.main(
            sample,
            tmp_path / "k.parquet",
            tmp_path / "k.rejected.parquet",
            objective="k",
            source_column="property",
            max_rejected_fraction=1.0,
        )
    assert "Did you mean" not in str(refused.value)


def test_a_column_without_any_value_is_an_error(read):
    with pytest.raises(UserError, match="the objective 'k' has no values: the column 'K' is empty for all 3"):
        read("", None, "n/a")


def test_too_many_unusable_values_stop_the_stage_with_the_first_place_of_each_reason(read, tmp_path):
    with pytest.raises(UserError) as refused:
        read("98,5", 1.0, "98 GPa", "98 GPa", limit=0.5)
    said = str(refused.value)
    assert "objective k: 3 of 4 materials were rejected" in said
    assert "2 x K is '98 GPa', not a number: a unit? It belongs in the header" in said
    assert f"(first in {SOURCE}, line 2 (m02))" in said
    assert len(pd.read_parquet(tmp_path / "k.rejected.parquet")) == 3


def test_a_dot_leads_into_nested_fields_unless_a_column_is_called_so(tmp_path):
    stated = [
        {"elasticity": {"K": {"VRH": 98.0}}},
        {"elasticity.K.VRH": 99.0, "elasticity": {"K": {"VRH": 1.0}}},
        {"elasticity": None},
        {"elasticity": {"G": 1.0}},
        {"elasticity": 5.0},
    ]
    sample = write_stated(tmp_path / "sample.parquet", stated)
    table = tmp_path / "k.parquet"
    arguments = {"objective": "k", "source_column": "elasticity.K.VRH", "max_rejected_fraction": 0.0}
    read_objective.main(sample, table, tmp_path / "rejected.parquet", **arguments)
    values = pd.read_parquet(table)["k"]
    assert values[:2].tolist() == [98.0, 99.0]
    assert values[2:].isna().all()


def test_nested_fields_are_listed_with_their_path(tmp_path):
    sample = write_stated(tmp_path / "sample.parquet", [{"a": {"b": {"c": 1}, "d": 2}, "e": {}}, {"f": 1}])
    with pytest.raises(UserError, match=r"Columns of the sources: a\.b\.c, a\.d, e, f\."):
        read_objective.main(
            sample,
            tmp_path / "k.parquet",
            tmp_path / "rejected.parquet",
            objective="k",
            source_column="a.c",
            max_rejected_fraction=0.0,
        )


def test_many_columns_are_not_all_listed(tmp_path):
    sample = write_stated(tmp_path / "sample.parquet", [{f"c{i}": i for i in range(100)}])
    with pytest.raises(UserError, match=r"c58, c59, 40 more\. Other objectives"):
        read_objective.main(
            sample,
            tmp_path / "k.parquet",
            tmp_path / "rejected.parquet",
            objective="k",
            source_column="k",
            max_rejected_fraction=0.0,
        )


@pytest.mark.parametrize(
    ("value", "read"), [(-999.04, -999.04), (-9998.96, -9998.96), (-999.0, None), (-9999, None)]
)
def test_only_exact_marks_of_missing_values_are_missing(value, read):
    assert stated_value({"e": value}, "e") == read
