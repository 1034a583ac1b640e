"""Tables as users write them: what is read, and which message leads to the fix."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from project import PROJECT

import read_composition_table
from polyfacet.config.taken_names import TAKEN_BY_TABLES
from polyfacet.facets.compimage.statistics import STATISTICS, composition_statistics
from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.formula import parse_formula
from polyfacet.materials.stated_numbers import MISSING
from polyfacet.runtime.errors import UserError
from polyfacet.sources.tables.description import table_source

STEEL = {
    "composition": {"columns": ["C", "Mn"], "unit": "weight_percent", "balance": "Fe"},
    "objectives": {"y": {"column": "Hardness"}},
}
FORMULA = {"composition": {"formula": "Compound"}, "objectives": {"y": {"column": "y"}}}
ROWS = "C,Mn,Hardness\n0.4,1.5,397\n0.4,1.6,398\n"


@pytest.fixture
def read(tmp_path):
    """Run the script on the bytes of a file; return its rows and its rejects."""

    def run(content, description=STEEL):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        outputs = [tmp_path / name for name in ("rows.parquet", "rejected.parquet", "summary.json")]
        described = {**description, "file": str(path)}
        read_composition_table.main(*outputs, source="a", description=described, max_rejected_fraction=1)
        facts = json.loads(outputs[2].read_text())
        rows = pd.read_parquet(outputs[0])
        return (
            rows.assign(
                amounts=[dict(zip(facts["features"], row, strict=False)) for row in rows["composition"]]
            ),
            pd.read_parquet(outputs[1]),
        )

    return run


WEIGHTS = {
    "composition": {"columns": ["C", "Mn"], "unit": "weight_percent"},
    "objectives": STEEL["objectives"],
}


@pytest.mark.parametrize(
    ("unit", "row", "reason"),
    [
        ("weight_percent", "0.4,1.5", "sum to 1.9, not 100 (tolerance 1)"),
        ("atomic_percent", "40,50", "sum to 90, not 100"),
        ("weight_fraction", "0.004,0.015", "sum to 0.019, not 1 (tolerance 0.01)"),
        ("weight_percent", "0.4,0.6", "for fractions, use a unit"),
        ("atomic_fraction", "40,60", "for percentages, use the unit"),
        ("weight_percent", "60,41", "sum to 101, more than 100"),
    ],
)
def test_an_incomplete_composition_is_rejected_with_its_sum(read, unit, row, reason):
    described = {**WEIGHTS, "composition": {**WEIGHTS["composition"], "unit": unit}}
    whole = "40,60" if "percent" in unit else "0.4,0.6"
    rows, rejected = read(f"C,Mn,Hardness\n{row},397\n{whole},400\n", described)
    assert rows["line"].tolist() == [3]
    assert rejected["line"].tolist() == [2]
    assert reason in rejected["reason"][0]
    if "not" in reason:
        assert "composition.balance" in rejected["reason"][0]


def test_the_same_row_is_read_with_a_balance_or_as_partial(read):
    rows, _ = read("C,Mn,Hardness\n0.4,1.5,397\n")
    assert rows["amounts"][0] == pytest.approx({"C": 1.83, "Mn": 1.50, "Fe": 96.66}, abs=0.01)
    partial = {**WEIGHTS, "composition": {**WEIGHTS["composition"], "partial": True}}
    rows, rejected = read("C,Mn,Hardness\n0.4,1.5,397\n", partial)
    assert (len(rows), len(rejected)) == (1, 0)


@pytest.mark.parametrize("text", ["397", " 397 ", "+397.", "3.97e2", "3970E-1", ".397e3", "0397"])
def test_a_plain_number_is_read(read, text):
    rows, rejected = read(f"C,Mn,Hardness\n0.4,1.5,{text}\n")
    assert not len(rejected)
    assert rows["y"].tolist() == [397.0]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("1,5", "decimal comma"),
        ("1.234,5", "thousands"),
        ("1,234.5", "thousands"),
        ("1.5 GPa", "a unit?"),
        ("1.5GPa", "a unit?"),
        ("12 %", "percent sign"),
        ("1e", "not a number"),
        ("0x10", "not a decimal number but a hexadecimal one"),
        ("1_000", "not a number"),
        ("1d5", "not a number"),
        ("1.2.3", "not a number"),
        ("nan", "missing ('nan')"),
        ("N/A", "missing ('N/A')"),
        ("--", "missing ('--')"),
        ("", "missing"),
        ("\u2014", "missing"),
        ("-999", "missing"),
        ("-9999.0", "missing"),
        ("Bal.", "the balance?"),
        ("rest", "the balance?"),
        ("trace", "not a number but a limit"),
        ("tr.", "not a number but a limit"),
        ("0.02 max.", "not a number but a limit"),
        ("max 0.02", "not a number but a limit"),
        ("5-Jun", "a date"),
        ("Mar-05", "a date"),
        ("2021-05-06", "a date"),
        ("#DIV/0!", "a spreadsheet error"),
        ("#VALUE!", "a spreadsheet error"),
        ("=A1+B1", "a spreadsheet formula"),
        ("1.5*10^3", "a power of ten"),
        ("1.5×10-3", "a power of ten"),  # noqa: RUF001
        ("1/2", "a fraction"),
        ("inf", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("1e999", "not a number up to"),
        ("1e-999", "too small to be distinguished from zero"),
        ("<0.01", "a limit"),
        ("~5", "a limit or an estimate"),
        ("5±1", "uncertainty"),
        ("5(1)", "uncertainty"),
        ("5-6", "a range"),
        ("1\u2009000", "THIN SPACE"),
        ("5\u00a0", "NO-BREAK SPACE"),
        ("５", "FULLWIDTH DIGIT FIVE"),  # noqa: RUF001
        ("\u0665", "ARABIC-INDIC DIGIT FIVE"),
        ("−5", "MINUS SIGN"),  # noqa: RUF001
        ("5\u200b", "ZERO WIDTH SPACE"),
        ("five", "not a number"),
    ],
)
@pytest.mark.parametrize("column", ["C", "Hardness"])
def test_anything_else_is_rejected_with_line_column_and_cause(read, text, cause, column):
    cells = {"C": "0.4", "Mn": "1.5", "Hardness": "397", column: f'"{text}"'}
    rows, rejected = read(f"C,Mn,Hardness\n0.4,1.5,397\n{','.join(cells.values())}\n")
    assert rows["line"].tolist() == [2]
    assert rejected["line"].tolist() == [3]
    assert rejected["reason"][0].startswith(f"{column} is ")
    assert cause in rejected["reason"][0]


def test_a_negative_amount_is_rejected(read):
    _, rejected = read("C,Mn,Hardness\n-0.4,1.5,397\n")
    assert "the amount of C is -0.4, not between 0 and" in rejected["reason"][0]


def test_very_small_amounts_are_kept(read):
    content = "Compound,y\nFe1B0.000000001,1\nFe1Ni0.00000000004,2\nFeB0.00000000000001,3\n"
    rows, rejected = read(content, FORMULA)
    amounts = rows["amounts"].tolist()
    assert amounts[0]["B"] == pytest.approx(1e-7)
    assert amounts[1]["Ni"] == pytest.approx(4e-9)
    assert rows["formula"].tolist() == ["B0.0000001Fe100", "Fe100Ni0.000000004"]
    assert "the amount of B, 1e-14, is below 1e-12 of the sum" in rejected["reason"][0]
    weights = "C,Mn,Hardness\n0.000000001,1.5,397\n"
    assert read(weights)[0]["amounts"][0]["C"] == pytest.approx(4.649e-9, rel=0.01)


@pytest.mark.parametrize("mode", ["xenonpy", "stable"])
def test_pictures_and_texts_of_very_small_amounts_are_sensible(read, mode):
    formula = read("Compound,y\nFe1B0.000000001,1\n", FORMULA)[0]["formula"][0]
    properties = pd.DataFrame({"f": [2.0, 50.0], "g": [0.0, 1e-3]}, index=["Fe", "B"])
    # Among the statistics, only the smallest and the largest value show a trace of boron.
    found = composition_statistics([parse_formula(formula), {"Fe": 100.0}], properties, mode)
    traced, pure = (dict(zip(STATISTICS, row, strict=True)) for row in found)
    assert np.isfinite(found).all()
    for name in set(STATISTICS) - {"min", "max", "hmean", "gmean"}:
        np.testing.assert_allclose(traced[name], pure[name], atol=1e-5)
    assert traced["max"].tolist() == [50.0, 1e-3]
    assert composition_text(formula, "composition") == "B 0.0000001 Fe 100"
    assert composition_text(formula, "composition_fraction") == "B 0.000000001 Fe 1"


NAMES = sorted(TAKEN_BY_TABLES)


@pytest.mark.parametrize("name", NAMES)
def test_an_objective_with_a_reserved_column_name_is_rejected_by_its_key(read, name):
    with pytest.raises(UserError, match=rf"tables\.a\.objectives: .*'{name}'.*Rename the objective"):
        read(ROWS, {**STEEL, "objectives": {name: {"column": "Hardness"}}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"process": ["Hardness"]}, "'Hardness' is named in process and in objectives"),
        ({"objectives": {"y": {"column": "Mn"}}}, "'Mn' is named in composition.columns and in objectives"),
        ({"process": ["C"]}, "'C' is named in composition.columns and in process"),
        ({"id": "Hardness"}, "'Hardness' is named in id and in objectives"),
        (
            {"composition": {"columns": {"C": "x", "Mn": "x"}, "unit": "weight_percent", "balance": "Fe"}},
            "'x' is named in composition.columns and in composition.columns",
        ),
        ({"objectives": {"y": {"column": "Hardness", "classes": ["all"]}}}, "class 'all'"),
        ({"objectives": {"y": {"column": "Hardness", "classes": ["hard "]}}}, "class 'hard '"),
    ],
)
def test_a_column_with_two_roles_is_rejected(read, changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        read(ROWS, {**STEEL, **changes})


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.encode("utf-8-sig"),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        ROWS.rstrip("\n"),
        ROWS.replace("\n", "\n\n"),
        f"\n  \n{ROWS}",
        ROWS.replace("C,Mn,Hardness", '"C", Mn ,Hardness'),
        ROWS.replace("397", '"397"'),
        ROWS.replace("C,Mn", "\u200bC,Mn\ufeff"),
        ROWS.replace("C,Mn", "PAR1,C,Mn").replace("\n0.4", "\nx,0.4"),
        ROWS.replace("C,Mn", "[001] texture,C,Mn").replace("\n0.4", "\nx,0.4"),
        ROWS.replace("C,Mn", "{hkl},C,Mn").replace("\n0.4", "\nx,0.4"),
        ROWS.replace("C,Mn,Hardness", "C\u00a0,\u2003Mn,\u00a0Hardness\u202f"),
        ROWS.replace("Mn", "M\u00adn\u200b"),
        f"\ufeff\n{ROWS}",
        ROWS.replace("Hardness", "Hardness,,").replace("7\n", "7,,\n").replace("8\n", "8,,\n"),
    ],
    ids=[
        "plain",
        "bom",
        "crlf",
        "cr",
        "no-end",
        "blank-lines",
        "blank-first",
        "spaces",
        "quoted",
        "invisible",
        "par1",
        "bracket",
        "brace",
        "no-break-space",
        "soft-hyphen",
        "bom-blank-first",
        "empty-columns",
    ],
)
def test_harmless_differences_between_files_do_not_matter(read, content):
    rows, rejected = read(content)
    assert (rows["y"].tolist(), len(rejected)) == ([397.0, 398.0], 0)


@pytest.mark.parametrize(
    ("configured", "written"),
    [
        ("Härte", "Ha\u0308rte"),
        ("Ha\u0308rte", "Härte"),
        ("Vickers hardness (HV)", "Vickers\u00a0hardness  (HV)"),
        ("Vickers hardness (HV)", '"Vickers hardness\n(HV)"'),
        ("Vickers\nhardness", '"Vickers\r\nhardness "'),
    ],
)
def test_a_column_is_found_in_any_unicode_form_and_white_space(read, configured, written):
    described = {**STEEL, "objectives": {"y": {"column": configured}}}
    rows, rejected = read(ROWS.replace("Hardness", written), described)
    assert (rows["y"].tolist(), len(rejected)) == ([397.0, 398.0], 0)


TITLE = "Table 1. Hardness of steels; for details, see text"


@pytest.mark.parametrize(
    "title", [TITLE, f'"{TITLE}"', f"{TITLE},,", "# source: a handbook", "wt.%,,HV", "Table 1", "C,Mn"]
)
def test_a_title_above_the_header_is_recognized(read, title):
    with pytest.raises(UserError, match="no column") as error:
        read(f"\n{title}\n\n{ROWS}")
    assert "Line 2 is a title or another heading; the header is line 4. Delete" in str(error.value)
    assert "semicolons" not in str(error.value)
    with pytest.raises(UserError, match="Line 1 is a title or another heading; line 2 is separated by semi"):
        read(f"{title}\n{ROWS.replace(',', ';')}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("C;Mn;Hardness\n0,40;1,5;397\n", "Line 1 is separated by semicolons"),
        ("C;Mn;Hardness\n0.40;1.5;397\n", "Line 1 is separated by semicolons"),
        ("C\tMn\tHardness\n0.40\t1.5\t397\n", "Line 1 is separated by tabs"),
        ("C|Mn|Hardness\n0.40|1.5|397\n", "Line 1 is separated by vertical bars"),
        (f"sep=,\n{ROWS}", "Line 1 is a hint for Excel and not the header: delete it"),
        ("sep=;\nC;Mn;Hardness\n", "Line 1 is a hint for Excel"),
        ("\nC;Mn;Hardness\n0,40;1,5;397\n", "Line 2 is separated by semicolons"),
        (
            'C,Mn,Note,Hardness\n0.4,1.5,x,397\n0.4,1.5,"5" bar,397\n',
            "line 3: a cell in quotation marks contains",
        ),
        (
            'C,Mn,Note,Hardness\n0.4,1.5,"x,397\n0.4,1.5,y,397\n',
            "lines 2 to 3: an opening quotation mark is not closed",
        ),
        (ROWS.replace("0.4,1.6", "0.4é,1.6").encode("latin-1"), "not UTF-8: line 3 has the byte 0xe9"),
        (
            ROWS.replace("\n", "\r").replace("0.4,1.6", "0.4é,1.6").encode("latin-1"),
            "not UTF-8: line 3 has the byte 0xe9",
        ),
        (
            "C,Mn,Hardness\r0.4,1.5,397\r\n0.4,1.6,398\n0.4,1.6,é".encode("latin-1"),
            "not UTF-8: line 4 has the byte 0xe9",
        ),
        (ROWS.encode("utf-16"), "is UTF-16 text"),
        (ROWS.encode("utf-16-le"), "is UTF-16 text"),
        (ROWS.encode("utf-16-be"), "is UTF-16 text"),
        (ROWS.encode("utf-32-le"), "is UTF-32 text"),
        (ROWS.encode("utf-32-be"), "is UTF-32 text"),
        (b"C,Mn\0\0\0\0,Hardness\n", "zero bytes"),
        (ROWS.encode() + b"0.4,\0,1\n", "zero bytes"),
        (b"PK\x03\x04\x14\x00", "an Excel workbook"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed with zstd"),
        (b"%PDF-1.7", "a PDF file"),
        (ROWS.encode("utf-32"), "is UTF-32 text"),
        ("\n<!DOCTYPE html><title>404</title>", "an HTML page"),
        ("<html xmlns:o><table>", "an HTML page"),
        ("\ufeff <TABLE border=1><tr><td>C</td>", "an HTML page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4", "a Git LFS pointer"),
        ("C&Mn&Hardness\n0.4&1.5&397\n", "is separated by ampersands"),
        ("<!-- export --><table>", "an HTML page"),
        ('<style type="text/css"></style><table>', "an HTML page"),
        ('<?xml version="1.0"?><Workbook>', "an XML file"),
        ("{\\rtf1 C,Mn}", "an RTF document"),
        ('\ufeff[{"C": 0.4}]', "a JSON file"),
        ('[\n  {\n    "C": 0.4}]', "a JSON file"),
        ('[["C", "Mn"], [0.4, 1.5]]', "a JSON file"),
        ('{ "C": 0.4}\n{"C": 0.5}', "a JSON file"),
        ("0.4,1.5,397\n0.4,1.6,398\n", "Line 1 contains numbers: add a line with the column names"),
        ("c,mn,hardness\n0.4,1.5,397\n", "'Mn' may be 'mn'"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("C,Mn,Hardness\n", "a header but no rows"),
        ("C,Mn,Mn,Hardness\n0.4,1,2,3\n", "more than one column ['Mn'] (line 1)"),
        (",".join(f"c{n}" for n in range(5000)) + "\n1\n", "'c19', '...']"),
    ],
)
def test_another_kind_of_file_is_rejected_with_line_and_likely_cause(read, content, message):
    with pytest.raises(UserError, match=re.escape(message)):
        read(content)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0,4,1,5,397", "the row has 5 cells, but the header has 3; a decimal comma"),
        ("0.4,1.5", "the row has 2 cells, but the header has 3"),
        ("0.4,1.5,397,", "but the header has 3; a comma at the end of the line?"),
        ("0.4,1.5,397,, ,", "but the header has 3; commas at the end of the line?"),
        ("0.4,1.5,397,,x", "3; a decimal comma"),
        ('"0.4,1.5,397\n0.4,1.6,398",1.5,397', "a cell spans lines 3 to 4: a stray quotation mark?"),
        (",,", "all cells of the row are empty"),
        ('0.4,"1.5\n0.4",1.6,7', "it begins on line 3: a stray quotation mark?"),
    ],
)
def test_a_ragged_row_is_rejected_with_the_likely_cause(read, row, reason):
    rows, rejected = read(f"C,Mn,Hardness\n0.4,1.5,397\n{row}\n0.4,1.6,398\n")
    assert rows["y"].tolist() == [397.0, 398.0]
    assert reason in rejected["reason"][0]


def test_commas_at_the_end_of_the_header_are_named(read):
    _, rejected = read(ROWS.replace("Hardness", "Hardness,,"))
    assert "the header has 5; commas at the end of the header?" in rejected["reason"][0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_a_stray_quotation_mark_is_found_with_any_line_ending(read, end):
    lines = ["C,Mn,Hardness", "0.4,1.5,397", '"0.4,1.5,397', '0.4,1.6,398",1.5,397', "0.4,1.6,398"]
    rows, rejected = read(end.join(lines))
    assert rows["line"].tolist() == [2, 5]
    assert "a cell spans lines 3 to 4: a stray quotation mark?" in rejected["reason"][0]


@pytest.mark.parametrize("mark", sorted(MISSING - {""}))
def test_every_mark_for_a_missing_value_is_known_and_documented(read, mark):
    for written in (mark, f" {mark.upper()} "):
        rows, rejected = read(f"C,Mn,Hardness\n0.4,1.5,{written}\n")
        assert not len(rows)
        assert rejected["reason"][0] == f"Hardness is missing ({written.strip()!r})"
    assert f"`{mark}`" in (PROJECT / "docs" / "tables.md").read_text()


@pytest.mark.parametrize("text", ["NaN", "nan", "", "n/a", "-", "None"])
def test_a_missing_formula_is_reported_as_missing(read, text):
    rows, rejected = read(f'Compound,y\n"{text}",1\nNa,2\nNd,3\n', FORMULA)
    assert rows["formula"].tolist() == ["Na100", "Nd100"]
    assert rejected["reason"][0].startswith("Compound is missing")


@pytest.mark.parametrize(
    "name",
    [
        "Mean",
        "average",
        "Std",
        "SD",
        "Total",
        "max.",
        "Std. dev.",
        "Std.dev",
        "St. Dev.",
        "S.D.",
        "Average:",
        "Standard Deviation",
        "Mean value",
        "AVG.:",
        "Std. error",
    ],
)
def test_a_row_of_statistics_is_not_a_material(read, name):
    described = {**STEEL, "id": "Steel"}
    content = f"Steel,C,Mn,Hardness\na,0.4,1.5,397\n{name},0.4,1.5,397\n"
    for source in (described, STEEL):
        rows, rejected = read(content, source)
        assert rows["line"].tolist() == [2]
        assert f"the row is a summary of others: {name!r}" in rejected["reason"][0]


@pytest.mark.parametrize("name", ["Se", "St", "S", "Mn", "Standard", "Std 1", "Min-7", "Meanite", "Error"])
def test_a_row_with_another_name_is_a_material(read, name):
    rows, _ = read(f"Steel,C,Mn,Hardness\n{name},0.4,1.5,397\n")
    assert rows["y"].tolist() == [397.0]


def test_an_unnamed_element_column_is_reported(read):
    content = "C,Mn,Ni,Tc,Hardness\n0.4,1.5,20,300,397\n0.4,1.5,0,300,398\n0.4,1.5,-,300,399\n"
    rows, rejected = read(content)
    assert rows["line"].tolist() == [3, 4]
    assert "there is 20 of Ni in a column that `composition.columns` does not name" in rejected["reason"][0]
    partial = {**WEIGHTS, "composition": {**WEIGHTS["composition"], "partial": True}}
    assert not len(read(content, partial)[1])
    assert not len(read(content, {**STEEL, "process": ["Ni"]})[1].query("line == 2"))


@pytest.mark.parametrize(
    "column",
    [
        *(
            "Cr wt%",
            "Cr (wt.%)",
            "Cr [wt. %]",
            "cr",
            "CR",
            "Cr_wt",
            "wt% Cr",
            "Cr (%)",
            "Cr at.%",
            "Cr mass fraction",
        ),
        *("V wt%", "W (wt.%)", "B %", "N [wt%]", "P mass fraction", "s wt%", "In wt%", "H (wt.%)"),
    ],
)
def test_an_element_column_is_recognized_in_any_unit_and_case(read, column):
    _, rejected = read(f"C,Mn,{column},Hardness\n0.4,1.5,18,397\n")
    assert f"in the column {column!r} that `composition.columns` does not name" in rejected["reason"][0]


@pytest.mark.parametrize(
    "column",
    ["V", "T %", "RA (%)", "RH (%)", "SN", "in", "CO", "H (ppm)", "Mn (at.%)", "Fe at%", "Ni/Cr"],
)
def test_a_column_of_something_else_is_not_an_amount(read, column):
    rows, rejected = read(f"C,Mn,{column},Hardness\n0.4,1.5,18,397\n")
    assert (len(rows), len(rejected)) == (1, 0)


def test_a_balance_must_agree_with_its_column_with_a_unit(read):
    _, rejected = read("C,Mn,Fe (wt.%),Hardness\n0.4,1.5,78.1,398\n")
    assert "the balance, Fe, is 98.1, but its column has 78.1" in rejected["reason"][0]


@pytest.mark.parametrize("column", ["SiO2", "SiO2 (wt.%)", "wt% Na2O", "Al2O3 %", "FeO"])
def test_a_compound_column_is_not_an_element_column(column):
    section = {**STEEL, "file": "x.csv", "composition": {"columns": {"Si": column}, "unit": "weight_percent"}}
    with pytest.raises(UserError, match="holds amounts of .*, not of Si: convert them"):
        table_source("a", section)


@pytest.mark.parametrize("column", ["Si", "SI", "si wt%", "Silicon", "O2 %", "iron content", "Si 2", "CO"])
def test_an_element_column_may_have_any_other_name(column):
    section = {**STEEL, "file": "x.csv", "composition": {"columns": {"Co": column}, "unit": "weight_percent"}}
    assert table_source("a", section).composition.columns == {"Co": column}


@pytest.mark.parametrize("column", ["Ni", "Fe", "Pd"])
def test_an_objective_column_is_not_an_amount(read, column):
    described = {**STEEL, "objectives": {"y": {"column": column}}}
    rows, rejected = read(f"C,Mn,{column}\n0.4,1.5,20\n0.4,1.6,21\n", described)
    assert (rows["y"].tolist(), len(rejected)) == ([20.0, 21.0], 0)


@pytest.mark.parametrize("column", ["Ni", "Fe"])
def test_an_identifier_column_is_not_an_amount(read, column):
    rows, rejected = read(f"{column},C,Mn,Hardness\n7,0.4,1.5,397\n", {**STEEL, "id": column})
    assert (rows["mat_id"].tolist(), len(rejected)) == (["7"], 0)


def test_a_balance_must_agree_with_its_column(read):
    content = "C,Mn,Fe,Hardness\n0.4,1.5,98.1,397\n0.4,1.5,78.1,398\n0.4,1.5,bal.,399\n"
    rows, rejected = read(content)
    assert rows["line"].tolist() == [2, 4]
    assert "the balance, Fe, is 98.1, but its column has 78.1" in rejected["reason"][0]


@pytest.mark.parametrize(
    ("column", "unit", "problem"),
    [
        ("Mn (at.%)", "weight_percent", "is by atoms, but the `unit` is weight_percent"),
        ("Mn at%", "weight_fraction", "is by atoms"),
        ("Mn [mol %]", "weight_percent", "is by atoms"),
        ("Mn_at_pct", "weight_percent", "is by atoms"),
        ("Mn (wt.%)", "atomic_percent", "is by weight, but the `unit` is atomic_percent"),
        ("Mn wt.-%", "atomic_fraction", "is by weight"),
        ("wt_Mn", "atomic_percent", "is by weight"),
        ("mass% Mn", "atoms", "is by weight"),
        ("Mn (ppm)", "weight_percent", "is in ppm"),
        ("Mn (wt ppm)", "weight_percent", "is in ppm"),
        ("Mn (wt.%)", "weight_percent", None),
        ("Mn (at.%)", "atomic_percent", None),
        ("Mn (at.%)", "atoms", None),
        ("Matrix", "weight_percent", None),
        ("Mn at the surface", "weight_percent", None),
        ("Atwood number", "weight_percent", None),
    ],
)
def test_a_column_name_that_contradicts_the_unit_is_rejected(column, unit, problem):
    described = {**STEEL, "file": "a.csv", "composition": {"columns": {"Mn": column}, "unit": unit}}
    if problem is None:
        assert table_source("a", described).composition.columns == {"Mn": column}
        return
    with pytest.raises(UserError, match=re.escape(f"the column {column!r} {problem}")):
        table_source("a", described)
    formula = {**described, "composition": {"formula": column, "unit": unit}}
    with pytest.raises(UserError, match=re.escape(problem)):
        table_source("a", formula)
