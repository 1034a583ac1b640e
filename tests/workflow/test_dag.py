"""Plans of configurations: job counts in dry runs, and errors before any job starts."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from planned_runs import planned_workflow, planning_folder
from project import PROJECT
from pymatgen.core import Lattice, Structure
from snakemake.utils import update_config

from polyfacet.runtime.resources import TIME_MARGIN
from polyfacet.use import architecture_figures

EXPLAINING = ("pretrain_on_permuted_values", "explain_predictions")


def test_the_published_grid_is_forty_nine_cells_and_two_baselines(pristine):
    jobs = pristine.jobs("--configfile", "config/costa2024.yaml", changes=["sources=[embedded]"])
    assert jobs["train_cell"] == 49
    assert jobs["train_method"] == 2
    assert jobs["render_images"] == jobs["build_graphs"] == jobs["write_structures"] == 10
    assert jobs["describe_structures"] == 10
    assert "make_local_encoders" not in jobs


def test_the_full_grid_is_a_hundred_and_five_cells(pristine):
    every_objective = "objectives=[gap,e_form,e_hull,e_total,mag_vol,vol_atom,dos_ef]"
    changes = ["methods={automm: {combinations: full}}", every_objective]
    assert len(cells("automm", *changes)) == 105
    assert pristine.jobs(changes=changes)["train_combination"] == 15


def test_methods_that_differ_in_their_head_share_a_network(pristine):
    joint = "{engine: joint, combinations: [text+graph]"
    methods = {
        "network": joint + "}",
        "by_trees": joint + ", settings: {head: extra_trees}}",
        "by_ridge": joint + ", settings: {head: ridge, hyperparameters: {alpha: 1.0}}}",
        "narrow": joint + ", settings: {width: 64}}",
        "of_text": "{engine: joint, combinations: [text]}",
        "of_gaps": joint + ", objectives: [gap]}",
    }
    named = ", ".join(f"{name}: {method}" for name, method in methods.items())
    changes = ["splits={random: {repeats: 1}}", "objectives=[gap,e_form]", f"methods={{{named}}}"]
    assert pristine.jobs(changes=changes)["pretrain_engine"] == 4


def test_pretrained_foundations_search_and_represent_each_once(pristine):
    def searches(pretraining: dict[str, str]) -> tuple[int, int]:
        settings = {"pretraining": pretraining}
        joint = {"engine": "joint", "combinations": ["text+graph"], "repeats": 1}
        methods = {
            "network": {**joint, "settings": settings},
            "by_ridge": {**joint, "settings": {**settings, "head": "ridge"}},
        }
        changes = ["splits={random: {repeats: 2}}", "objectives=[gap]", f"methods={json.dumps(methods)}"]
        bundled = pristine.jobs("--keep-going", "bundles", changes=changes)
        return pristine.jobs(changes=changes).get("search_facets", 0), bundled.get("represent_materials", 0)

    assert searches({"contrast": "all_pairs"}) == (1, 1)
    assert searches({}) == (0, 0)


DENSITY, GAP = {"name": "density", "column": "rho"}, {"name": "gap", "column": "Eg"}
PHASE = {"name": "phase", "classes": ["hard", "soft"]}


@pytest.mark.parametrize(
    ("objectives", "named", "columns", "tables"),
    [
        (["gap", "e_form"], None, [], set()),
        (["gap", DENSITY], None, [], set()),
        ([DENSITY, GAP, PHASE], None, ["density", "gap"], {"density", "gap"}),
        ([DENSITY, GAP], ["gap"], [], {"gap"}),
        ([PHASE], None, [], set()),
    ],
)
def test_the_embedding_learns_columns_if_the_run_predicts_nothing_else(objectives, named, columns, tables):
    config = {
        "objectives": objectives,
        "graphs": {"training": {"objectives": named}},
        "methods": {"trees": {"engine": "classical", "combinations": ["graph"]}},
        "splits": {"formula": {"repeats": 1}},
    }
    with planning_folder() as folder, planned_workflow(config, folder, cores=2) as workflow:
        (job,) = (job for job in workflow.dag.jobs if job.name == "fit_network")
        assert {Path(path).stem for path in job.input.derived} == tables
    assert job.params.training["objectives"] == named
    assert job.params.columns == columns


def test_foundations_are_explained_only_if_that_is_asked_for(pristine):
    def jobs(explanations: str | None, combination: str = "text+graph", **settings: str) -> dict[str, int]:
        joint = {"engine": "joint", "combinations": [combination], "settings": settings}
        methods = {"network": joint, "by_ridge": {**joint, "settings": {**settings, "head": "ridge"}}}
        changes = ["splits={random: {repeats: 2}}", "objectives=[gap]", f"methods={json.dumps(methods)}"]
        changes += [f"explanations={explanations}"] if explanations else []
        found = pristine.jobs(changes=changes)
        return {name: found[name] for name in EXPLAINING if name in found}

    once = dict.fromkeys(EXPLAINING, 1)
    assert jobs("{materials: 50}", graphs="network") == once
    assert jobs("{materials: 50, repeats: 2}", graphs="network") == dict.fromkeys(EXPLAINING, 2)
    assert jobs("{materials: 50}", "text+compimage") == once
    # The network reads a frozen vector, or nobody has asked.
    assert jobs("{materials: 50}") == {}
    assert jobs(None, graphs="network") == {}


@pytest.mark.parametrize(("graphs", "reads"), [("network", True), ("encoding", False)])
def test_crystal_graphs_are_read_by_methods_that_train_a_network_on_them(graphs, reads):
    settings = {"graphs": graphs, "processes": 2}
    method = {"engine": "joint", "combinations": ["text+graph"], "settings": settings}
    config = {"methods": {"joint": method}, "splits": {"formula": {"repeats": 1}}}
    with planning_folder() as folder, planned_workflow(config, folder, cores=2) as workflow:
        jobs = [job for job in workflow.dag.jobs if job.name in ("pretrain_engine", "train_method")]
    joint = [job for job in jobs if "joint" in str(job.output)]
    assert {job.name for job in joint} == {"pretrain_engine", "train_method"}
    assert all(bool(job.input.graphs) == reads for job in joint)
    (foundation,) = (job for job in joint if job.name == "pretrain_engine")
    assert foundation.threads == 2


def test_a_method_with_fewer_repeats_has_no_cells_in_the_others(pristine):
    changes = ["splits={random: {repeats: 3}}", "methods={automm: {repeats: 1}}"]
    jobs, bundled = (pristine.jobs(*target, changes=changes) for target in ([], ["--cores", "2", "bundles"]))
    # Two combinations on one repeat; trees, mean and median on three.
    for planned in (jobs, bundled):
        assert (planned["train_combination"], planned["train_method"]) == (2, 9)
    assert (jobs["fit_network"], bundled["bundle_cells"]) == (3, 3)


def test_a_split_by_one_objective_has_cells_of_this_objective_only(pristine):
    splits = "splits={highest: {objective: vol_atom}, random: {}}"
    jobs = pristine.jobs(changes=[splits])
    # At random, a job trains both objectives; a method of cheap cells is one job per split.
    assert (jobs["train_combination"], jobs["train_cell"], jobs["train_method"]) == (2, 2, 6)
    assert cells("automm", splits, split="random") == {
        f"{combination}/{objective}"
        for combination in ("text", "text+image+graph")
        for objective in ("e_form", "vol_atom")
    }
    alone = cells("automm", splits, split="highest")
    assert alone == {"text/vol_atom", "text+image+graph/vol_atom"}


def test_a_method_with_fewer_objectives_has_no_cells_of_the_others(pristine):
    some = "methods={automm: {objectives: [vol_atom]}}"
    jobs, bundled = (pristine.jobs(*target, changes=[some]) for target in ([], ["--cores", "2", "bundles"]))
    for planned in (jobs, bundled):
        assert (planned["train_combination"], planned["train_method"]) == (2, 3)
    assert cells("automm", some) == {"text/vol_atom", "text+image+graph/vol_atom"}
    assert len(cells("trees", some)) == 4
    # Nothing is left on a split by another objective.
    splits = "splits={highest: {objective: e_form}, random: {}}"
    assert cells("automm", some, splits, split="highest") == set()


def test_an_objective_with_settings_of_its_own_passes_them_to_its_cell(pristine):
    own = "methods={automm: {settings_of_objectives: {vol_atom: {max_epochs: 200}}}}"
    ((_, minutes),) = requested(pristine, "train_combination")
    ((_, longer),) = requested(pristine, "train_combination", own)
    assert longer > minutes
    long = "methods={automm: {settings_of_objectives: {vol_atom: {max_epochs: 500}}}}"
    jobs = pristine.jobs(changes=[long])
    assert (jobs.get("train_combination"), jobs["train_cell"]) == (None, 4)
    assert len(requested(pristine, "train_cell", long)) == 2


def cells(method, *changes, split="random"):
    """List the cells of a method that the run of config/test.yaml would train on a split after changes."""
    config = yaml.safe_load((PROJECT / "config" / "test.yaml").read_text())
    for key, value in (change.split("=", maxsplit=1) for change in changes):
        update_config(config, {key: yaml.safe_load(value)})
    with planning_folder() as folder, planned_workflow(config, folder) as workflow:
        return {
            f"{cell['combination']}/{cell['objective']['column']}"
            for job in workflow.dag.jobs
            if hasattr(job.params, "grid") and (job.wildcards.method, job.wildcards.split) == (method, split)
            for cell in job.params.grid
        }


def requested(workflow, rule, *changes):
    """List the requests of the jobs of a rule: memory in MB and time in minutes."""
    plan = workflow.run("--dry-run", "--config", *changes)
    jobs = [job for job in plan.split("rule ") if job.startswith(f"{rule}:")]
    return {
        (int(re.search(r"mem_mb=(\d+)", job)[1]), int(re.search(r"runtime=(\d+)", job)[1])) for job in jobs
    }


def test_cells_that_train_in_minutes_share_a_job_and_others_have_their_own(pristine):
    short, long = pristine.jobs(), pristine.jobs(changes=["methods={automm: {settings: {max_epochs: 500}}}"])
    assert (short["train_combination"], short.get("train_cell")) == (2, None)
    assert (long.get("train_combination"), long["train_cell"]) == (None, 4)
    assert cells("automm") == cells("automm", "methods={automm: {settings: {max_epochs: 500}}}")


def test_a_batch_requests_the_memory_of_one_cell_and_the_time_of_all(pristine):
    settings = "methods={automm: {settings: {max_epochs: 200}}}"
    ((memory, minutes),) = requested(pristine, "train_combination", settings)
    ((same, longer),) = requested(
        pristine, "train_combination", settings, "objectives=[gap,e_form,e_hull,vol_atom]"
    )
    assert same == memory
    # Four minutes per cell, and a margin.
    assert longer - minutes == 2 * 4 * TIME_MARGIN


def test_a_method_on_crystals_and_on_a_table_trains_batches_and_single_cells(pristine):
    config = yaml.safe_load((pristine.folder / "config" / "test_tables.yaml").read_text())
    methods = {"automm": {"engine": "automm", "combinations": ["compimage"], "settings": {"max_epochs": 2}}}
    config |= {"sources": ["embedded"], "methods": methods, "report": {}}
    plan = pristine.folder / "batches.yaml"
    plan.write_text(yaml.safe_dump(config))
    jobs = pristine.jobs("--configfile", str(plan))
    n_objectives = len(config["tables"]["steels"]["objectives"])
    # Two splits with two repeats.
    assert (jobs["train_combination"], jobs["train_cell"]) == (4, 4 * n_objectives)


FACET_STAGES = {
    "text": {"describe_compositions", "count_tokens", "make_local_encoders"},
    "image": {"write_structures", "render_images", "draw_contact_sheet", "make_local_encoders"},
    "graph": {"write_structures", "build_graphs", "fit_network", "embed_graphs"},
    "compimage": {
        "build_element_table",
        "compute_composition_statistics",
        "fit_grey_levels",
        "draw_composition_images",
        "draw_composition_legend",
    },
}


@pytest.mark.parametrize("facet", FACET_STAGES)
def test_only_facets_that_a_method_uses_are_computed(pristine, facet):
    plan = pristine.folder / "only.yaml"
    plan.write_text(f"methods: {{only: {{engine: automm, combinations: [{facet}]}}}}")
    jobs = pristine.jobs("--configfile", str(plan))
    others = set().union(*FACET_STAGES.values()) - FACET_STAGES[facet]
    assert FACET_STAGES[facet] - {"make_local_encoders"} <= jobs.keys()
    assert not (others - {"make_local_encoders"}) & jobs.keys()


PICTURES_ALONE = {"sample", "write_structures", "render_images", "draw_sheet_of_pictures", "pictures"}


def test_pictures_alone_need_no_facet_no_model_and_no_property(pristine):
    plan = pristine.folder / "text_only.yaml"
    plan.write_text("methods: {only: {engine: automm, combinations: [text]}}")
    jobs = pristine.jobs("--configfile", str(plan), "--nolock", "pictures")
    assert jobs.keys() == {
        "sample",
        "write_structures",
        "render_images",
        "draw_sheet_of_pictures",
        "pictures",
    }


def test_pictures_of_a_folder_of_cif_files_alone(pristine):
    folder = pristine.folder / "my crystals"
    folder.mkdir()
    for name in ("salt", "halite"):
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ).to(str(folder / f"{name}.cif"))
    jobs = pristine.jobs("--nolock", "pictures", changes=["sources=['my crystals']"])
    assert jobs.keys() == {
        "sample",
        "write_structures",
        "render_images",
        "draw_sheet_of_pictures",
        "pictures",
    }


def test_the_end_of_pictures_alone_names_everything_that_is_left_out():
    with planning_folder() as folder, planned_workflow({}, folder, targets=["pictures"]) as workflow:
        patterns = workflow.globals["rejects_of_pictures"]()
        outputs = {str(path) for job in workflow.dag.jobs for path in job.output if "rejected" in path}
    assert len(outputs) == len(patterns) == 3
    assert all(any(fnmatch(path, pattern) for pattern in patterns) for path in outputs)


def test_a_variant_of_a_facet_is_computed_from_its_own_input(pristine):
    plan = pristine.folder / "variant.yaml"
    method = {"engine": "automm", "combinations": ["text", "text:cif"]}
    plan.write_text(yaml.safe_dump({"methods": {"only": method}, "encoders": {"source": "hub"}}))
    jobs = pristine.jobs("--configfile", str(plan))
    assert (jobs["describe_compositions"], jobs["describe_structures"], jobs["count_tokens"]) == (1, 1, 2)
    assert not {"render_images", "build_graphs", "fit_network"} & jobs.keys()


def test_shards_grow_instead_of_exceeding_their_maximum_number(pristine):
    jobs = pristine.jobs("--until", "write_structures", changes=["n_materials=1000000", "shard_size=500"])
    assert jobs["write_structures"] == 500


def test_repeats_multiply_only_fitted_stages(pristine):
    once, thrice = pristine.jobs(), pristine.jobs(changes=["splits={random: {repeats: 3}}"])
    fitted = {
        "split_materials",
        "fit_network",
        "embed_graphs",
        "fit_grey_levels",
        "draw_composition_images",
        "assemble_dataset",
        "gather_dataset",
        "train_combination",
        "train_method",
    }
    assert thrice == {rule: n * (3 if rule in fitted else 1) for rule, n in once.items()}


def test_several_splits_are_run(pristine):
    splits = "splits={random: {}, prototypes: {method: column, column: prototype_id}}"
    once, twice = pristine.jobs(), pristine.jobs(changes=[splits])
    assert twice["split_materials"] == 2 * once["split_materials"]
    assert twice["train_combination"] == 2 * once["train_combination"]


def test_a_split_can_be_limited_to_some_sources(pristine):
    config = yaml.safe_load((pristine.folder / "config" / "test_tables.yaml").read_text())
    config |= {
        "sources": ["embedded/entries.json.bz2"],
        "methods": {"mean": {"engine": "dummy"}},
        "splits": {"prototypes": {"method": "column", "column": "prototype_id", "sources": ["crystals"]}}
        | {"random": {"sources": ["steels"]}},
        "report": {},
    }
    plan = pristine.folder / "sources.yaml"
    plan.write_text(yaml.safe_dump(config))
    jobs = pristine.jobs("--configfile", str(plan))
    assert (jobs["split_materials"], jobs["train_method"]) == (2, 2)


def test_crystals_and_tables_can_be_in_one_run(pristine):
    config = yaml.safe_load((pristine.folder / "config" / "test_tables.yaml").read_text())
    methods = {"trees": {"engine": "classical", "combinations": ["compimage"]}, "mean": {"engine": "dummy"}}
    both = pristine.folder / "both.yaml"
    both.write_text(yaml.safe_dump({**config, "sources": ["embedded"], "methods": methods, "report": {}}))
    jobs = pristine.jobs("--configfile", str(both))
    assert {"sample", "read_composition_table", "write_report"} <= jobs.keys()
    # Two splits with two repeats, two methods, two sources.
    assert jobs["train_method"] == 16


def test_combinations_and_objectives_come_from_the_configuration(pristine):
    changes = ["methods={automm: {combinations: [text,image]}}", "objectives=[gap,dos_ef,e_hull]"]
    assert len(cells("automm", *changes)) == 6


def test_descriptors_and_powder_patterns_are_made_in_shards(pristine):
    combinations = "[descriptors, xrd, text+descriptors]"
    trees = f"methods={{trees: {{combinations: {combinations}}}, automm: {{combinations: [text]}}}}"
    jobs = pristine.jobs(changes=[trees, "splits={formula: {repeats: 1}}"])
    # Two facets in two shards.
    assert (jobs["make_facet"], jobs["write_structures"]) == (4, 2)
    assert not {"build_graphs", "render_images"} & set(jobs)


@pytest.mark.parametrize("source", ["local", "hub"])
def test_engines_without_encoders_do_not_need_them(pristine, source):
    config = pristine.folder / "mcvn_only.yaml"
    config.write_text(
        f"encoders: {{source: {source}}}\nsplits: {{formula: {{repeats: 1}}}}\n"
        "methods: {mcvn: {engine: mcvn, combinations: [graph]}}"
    )
    jobs = pristine.jobs("--configfile", str(config))
    assert jobs["train_method"] == 1
    trains_longer = {"train_cell", "train_combination"}
    assert not (trains_longer | {"make_local_encoders", "fetch_hub_encoders"}) & set(jobs)


ENGINE_WITH_ENCODERS = """
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.declaration import EngineDeclaration

READER = EngineDeclaration(
    "reader",
    Settings,
    "polyfacet.training.engines.dummy.engine:Dummy",
    looks_at=lambda facet: True,
    cost=Cost(mb=100),
    encoders=True,
)
"""


@pytest.mark.parametrize(
    ("source", "makes_them"), [("local", "make_local_encoders"), ("hub", "fetch_hub_encoders")]
)
def test_an_engine_of_a_plug_in_may_start_from_encoders(pristine, source, makes_them):
    (pristine.folder / "reader.py").write_text(ENGINE_WITH_ENCODERS)
    plan = pristine.folder / "reader.yaml"
    methods = {"reader": {"engine": "reader", "combinations": ["text", "image"]}}
    encoders = {"source": source}
    plan.write_text(yaml.safe_dump({"plugins": ["reader.py"], "methods": methods, "encoders": encoders}))
    jobs = pristine.jobs("--configfile", str(plan))
    assert jobs["count_tokens"] == jobs[makes_them] == 1


@pytest.mark.parametrize(("features", "expected"), [("original", False), ("expanded", True)])
def test_expanded_features_use_the_statistics(pristine, features, expected):
    trees = f"methods={{trees: {{combinations: [graph], settings: {{model: ridge, features: {features}}}}}}}"
    plan = pristine.run("--dry-run", "--config", trees)
    jobs = [part for part in plan.split("rule ") if part.startswith("train_method:")]
    (job,) = [part for part in jobs if "method=trees" in part]
    assert ("composition_statistics/shard-1.parquet" in job) is expected


def test_texts_and_pictures_are_encoded_once_per_split_if_a_method_reads_their_numbers(pristine):
    assert "encode_facet" not in pristine.jobs()
    trees = "methods={trees: {combinations: [text, image, text:cif+image, text:matscholar, graph+compimage]}}"
    jobs = pristine.jobs(changes=[trees])
    assert jobs["encode_facet"] == 4 * jobs["split_materials"]
    plan = pristine.run("--dry-run", "--config", trees)
    (job,) = [part for part in plan.split("rule ") if part.startswith("train_method:") and "trees" in part]
    for facet in ("text", "image", "text:cif", "text:matscholar"):
        assert f"encodings/{facet}.parquet" in job


@pytest.mark.parametrize(
    ("settings", "encoded"),
    [
        ("pictures: network", ["text"]),
        ("pictures: encoding", ["image", "text"]),
    ],
)
def test_pictures_that_the_network_itself_reads_are_not_encoded(pristine, settings, encoded):
    joint = f"methods={{joint: {{engine: joint, combinations: [text+image], settings: {{{settings}}}}}}}"
    plan = pristine.run("--dry-run", "--config", joint)
    assert sorted(set(re.findall(r"encodings/(\w+)\.safetensors", plan))) == encoded


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


def test_a_run_on_a_table_repeats_each_split_and_draws_no_crystals(pristine):
    jobs = pristine.jobs("--configfile", "config/test_tables.yaml")
    table = (
        "build_element_table",
        "compute_composition_statistics",
        "describe_objectives",
        "read_composition_table",
    )
    by_split = (
        "split_materials",
        "fit_grey_levels",
        "draw_composition_images",
        "assemble_dataset",
        "gather_dataset",
    )
    report = (
        "collect_results",
        "compare_methods",
        "attribute_to_facets",
        "audit_leakage",
        "assess_uncertainty",
        "describe_errors",
        "tabulate_results",
        "draw_composition_legend",
        "write_report",
    )
    once, per_split = dict.fromkeys([*table, *report], 1), dict.fromkeys(by_split, 4)
    assert jobs == {**once, **per_split, "train_method": 12}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_material=200", "Did you mean"),
        ("images={size: 5}", "images.size = 5"),
        ("combinations=[image+text]", "must be written 'text+image'"),
        ("combinations=[image+txt]", "there is no facet 'txt'"),
        ("objectives=[e_from]", "objectives names the unknown 'e_from'"),
        ("objectives=[{name: volume}]", "the name 'volume' is reserved"),
        ("methods={a: {engine: mcvn}}", "engine 'mcvn' cannot use text"),
        ("composition={backend: xenonpy}", "composition: {statistics: xenonpy}"),
        ("n_materials=13", "n_materials: 14"),
        ("composition={text: cif}", "encoders: {source: hub}"),
        ("report={reference: svm}", "report.reference names an unknown method 'svm'; available: automm"),
        ("methods={a: {engine: classical, combinations: [process]}}", "crystals has no process"),
        (
            "tables={a: {file: a.csv, composition: {formula: F}, objectives: {part: {column: y}}}}",
            "tables.a.objectives: the name 'part'",
        ),
    ],
)
def test_a_wrong_configuration_stops_before_any_job(pristine, change, message):
    output = pristine.run("--dry-run", "--config", change, check=False)
    assert message in output
    assert "Traceback" not in output
    assert "train_" not in output


def test_every_rule_names_log_benchmark_and_environment(pristine):
    for path in (pristine.folder / "rules").glob("*.smk"):
        for block in path.read_text().split("\nrule ")[1:]:
            # A target only names the files of other rules.
            if "\n    input:" in block and "    script:" not in block and "    output:" not in block:
                continue
            # Serving a page until Ctrl-C has no output.
            makes = () if block.startswith("serve_structures:") else ("output:", "benchmark:")
            for directive in (*makes, "log:", "params:", "conda:", "script:"):
                assert f"    {directive}" in block, (path.name, block.split(":")[0], directive)
            assert re.search(r"code=(of_foundation\(\s*)?(lambda \w+: )?code_of_rule\(", block)


def test_the_figure_of_the_rules_is_current(pristine):
    status, dot = pristine.typed(*architecture_figures.PLAN)
    assert status == 0, dot[-2000:]
    drawn = (architecture_figures.FIGURES / architecture_figures.RULES).read_text()
    assert architecture_figures.figure_of_rules(dot) == drawn, architecture_figures.__doc__


def test_snakemake_lint_finds_nothing(pristine):
    status, output = pristine.typed("--lint")
    assert status == 0, output[-5000:]
