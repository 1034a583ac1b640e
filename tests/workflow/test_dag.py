"""What a configuration makes: job counts in dry runs, and errors before anything runs."""

import pytest


def test_the_study_is_forty_nine_cells(pristine):
    jobs = pristine.jobs("--configfile", "config/paper.yaml", changes=["sources=[embedded]"])
    assert jobs["train_cell"] == 49
    assert jobs["train_dummy"] == 14
    assert jobs["render_images"] == jobs["build_graphs"] == jobs["write_structures"] == 10
    assert "make_local_encoders" not in jobs


def test_the_full_grid_is_a_hundred_and_five_cells(pristine):
    every_target = "targets=[gap,e_form,e_hull,e_total,mag_vol,vol_atom,dos_ef]"
    assert pristine.jobs(changes=["combinations=full", every_target])["train_cell"] == 105


def test_shards_of_very_many_materials_grow_instead_of_their_number(pristine):
    jobs = pristine.jobs("--until", "write_structures", changes=["n_materials=1000000", "shard_size=500"])
    assert jobs["write_structures"] == 500


def test_repeats_multiply_what_is_fitted_and_nothing_else(pristine):
    once, thrice = pristine.jobs(), pristine.jobs(changes=["split={repeats: 3}"])
    fitted = {
        "split_materials",
        "fit_network",
        "embed_graphs",
        "fit_grey_levels",
        "draw_composition_images",
        "assemble_dataset",
        "gather_dataset",
        "train_cell",
        "train_dummy",
    }
    assert thrice == {rule: n * (3 if rule in fitted else 1) for rule, n in once.items()}


def test_combinations_and_targets_come_from_the_configuration(pristine):
    jobs = pristine.jobs(changes=["combinations=[text,image]", "targets=[gap,dos_ef,e_hull]"])
    assert jobs["train_cell"] == 6


@pytest.mark.parametrize("source", ["local", "hub"])
def test_engines_without_encoders_wait_for_none(pristine, source):
    changes = [f"encoders={{source: {source}}}", "engine={name: mcvn}", "combinations=[tabular,compimage]"]
    jobs = pristine.jobs(changes=changes)
    assert jobs["train_cell"] == 4
    assert not {"make_local_encoders", "fetch_hub_encoders"} & set(jobs)


@pytest.mark.parametrize(("features", "expected"), [("original", False), ("expanded", True)])
def test_expanded_features_are_made_of_the_statistics(pristine, features, expected):
    engine = f"engine={{name: classical, classical: {{model: ridge, features: {features}}}}}"
    plan = pristine.run("--dry-run", "--config", engine, "combinations=[tabular]", "targets=[gap]")
    (job,) = [part for part in plan.split("rule ") if part.startswith("train_cell:")]
    assert ("composition_statistics/shard-1.parquet" in job) is expected


@pytest.mark.parametrize("text", ["robocrystallographer", "cif"])
def test_texts_of_structures_are_written_in_shards(pristine, text):
    jobs = pristine.jobs(changes=[f"composition={{text: {text}}}", "encoders={source: hub}", "shards=3"])
    assert jobs["describe_structures"] == jobs["write_structures"] == 3
    assert "describe_compositions" not in jobs


def test_pretraining_prepares_materials_outside_the_sample(pristine):
    before = pristine.jobs(changes=["graphs={embedding: trained}"])
    jobs = pristine.jobs(changes=["graphs={embedding: trained, pretrain: 20}"])
    added = {"sample_pretraining": 1, "write_pretraining_structures": 2, "build_pretraining_graphs": 2}
    assert jobs == before | added
    assert pristine.jobs(changes=["graphs={embedding: random, pretrain: 20}"]) == pristine.jobs()


def test_a_run_on_a_table_repeats_each_way_of_splitting_and_draws_no_crystal(pristine):
    jobs = pristine.jobs("--configfile", "config/test_tables.yaml")
    table = ("build_element_table", "read_composition_table", "compute_table_statistics")
    by_split = ("split_table", "fit_table_grey_levels", "draw_table_images", "assemble_table_dataset")
    report = ("compare_methods", "plot_comparison", "report_comparison")
    assert jobs == {**dict.fromkeys([*table, *report], 1), **dict.fromkeys([*by_split, "train_methods"], 4)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_material=200", "Did you mean"),
        ("images={size: 5}", "images.size = 5"),
        ("combinations=[image+text]", "combinations"),
        ("targets=[bandgap]", "targets"),
        ("engine={name: mcvn}", "combinations: [tabular, compimage, tabular+compimage]"),
        ("composition={backend: xenonpy}", "composition: {statistics: xenonpy}"),
        ("n_materials=13", "n_materials: 14"),
        ("composition={text: cif}", "encoders: {source: hub}"),
        ("comparison={reference: svm}", "comparison.reference is 'svm', which is none of the methods"),
        (
            "tables={a: {file: a.csv, composition: {formula: F}, targets: {part: {column: y}}}}",
            "tables.a.targets: Value error, the name 'part'",
        ),
    ],
)
def test_a_wrong_configuration_stops_before_any_job(pristine, change, message):
    output = pristine.run("--dry-run", "--config", change, check=False)
    assert message in output
    assert "Traceback" not in output
    assert "train_cell" not in output


def test_every_rule_names_log_benchmark_and_environment(pristine):
    for path in (pristine.folder / "rules").glob("*.smk"):
        for block in path.read_text().split("\nrule ")[1:]:
            # A page that is served until Ctrl-C makes nothing.
            makes = () if block.startswith("serve_structures:") else ("output:", "benchmark:")
            for directive in (*makes, "log:", "params:", "conda:", "script:"):
                assert f"    {directive}" in block, (path.name, block.split(":")[0], directive)
            assert "code=code_of_rule(" in block
