# Facets, objectives and split -> trained cells, each with predictions, a card and a model.

from polyfacet.training.encoders.own_checkpoints import (
    local_folder,
    named_hyperparameters,
)


include: "functions/train.smk"


ENCODERS = config["encoders"]["source"]
# Folder of the cells of a split, with one subfolder per method.
CELLS = f"{SPLIT}/cells"
METHOD_FILES = f"{SOURCE}/encoders/{{method}}"


# Folders of these checkpoints by source and method; None for a checkpoint on the hub.
try:
    OWN_FOLDERS = {
        (source, name): {
            facet.name: local_folder(facet, checkpoint)
            for facet, checkpoint in own_checkpoints_of(source, name).items()
        }
        for source, methods in METHODS.items()
        for name, method in methods.items()
        if ENGINES.get(method["engine"]).encoders
    }
except UserError as error:
    raise WorkflowError(str(error))


rule make_local_encoders:
    output:
        encoders=directory(f"{RUN}/encoders"),
    log:
        f"{LOGS}/make_local_encoders.log",
    benchmark:
        f"{BENCHMARKS}/make_local_encoders.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests("make_local_encoders", 0),
    params:
        code=code_of_rule("make_local_encoders"),
        packages=packages_of_rule("make_local_encoders"),
        seed=config["seed"],
        text=config["encoders"]["text"],
        image=config["encoders"]["image"],
        compimage=config["encoders"]["compimage"],
    script:
        script_path("make_local_encoders")


# Downloads stay in a folder that all runs share; the output of this run records which of them it uses.
rule fetch_hub_encoders:
    output:
        record=f"{METHOD_FILES}/hub_encoders.json",
    log:
        f"{LOGS}/{{source}}/{{method}}/fetch_hub_encoders.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{method}}/fetch_hub_encoders.tsv"
    # Often only the machine on which Snakemake was started can reach the network.
    localrule: True
    conda:
        "../envs/training.yaml"
    params:
        code=code_of_rule("fetch_hub_encoders"),
        packages=packages_of_rule("fetch_hub_encoders"),
        cache=config["encoders"]["cache"],
        combinations=lambda wildcards: method_of(wildcards)["combinations"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        checkpoints=config["encoders"]["checkpoints"],
        own_only=ENCODERS == "local",
    script:
        script_path("fetch_hub_encoders")


rule count_tokens:
    input:
        texts=tables_of_text,
        encoders=local_encoders,
        hub_encoders=hub_encoders,
    output:
        tokens=f"{METHOD_FILES}/tokens/{{text}}.json",
    log:
        f"{LOGS}/{{source}}/{{method}}/count_tokens/{{text}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{method}}/count_tokens/{{text}}.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests("make_local_encoders", materials_of),
    params:
        code=code_of_rule("count_tokens"),
        packages=packages_of_rule("count_tokens"),
        form=lambda wildcards: facet_named(wildcards.text).form
        or FORMS.get(wildcards.text, ""),
        checkpoint=lambda wildcards: OWN_FOLDERS[
            wildcards.source, wildcards.method
        ].get(wildcards.text),
        max_text_lens=max_text_lens_of_job,
    script:
        script_path("count_tokens")


# The foundation that all cells of a method share on a split, if its engine has one; methods with the same settings but
# for those of heads share it, too.
rule pretrain_engine:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=of_foundation(files_of_facets("table")),
        pictures=of_foundation(files_of_facets("pictures")),
        encoders=of_foundation(local_encoders),
        hub_encoders=of_foundation(hub_encoders),
        tokens=ancient(of_foundation(counted_tokens)),
        statistics=of_foundation(statistics_of_job),
        graphs=of_foundation(graphs_of_job),
        derived=of_foundation(derived_objectives_of_foundation),
        encodings=of_foundation(encodings_of_job),
    output:
        foundation=directory(f"{SPLIT}/foundations/{{foundation}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/foundations/{{foundation}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/foundations/{{foundation}}.tsv"
    wildcard_constraints:
        foundation=one_of(
            sorted({name for names in FOUNDATIONS.values() for name in names.values()})
        ),
    conda:
        "../envs/training.yaml"
    threads: of_foundation(threads_of_foundation)
    resources:
        **requests(
            of_foundation(cost_of_foundation),
            materials_of,
            steps=of_foundation(foundation_steps),
            gpus=of_foundation(gpus_of_training),
        ),
    params:
        code=of_foundation(
            lambda job: code_of_rule("pretrain_engine", *engine_code(job))
        ),
        packages=of_foundation(
            lambda job: packages_of_rule("pretrain_engine", *engine_code(job))
        ),
        facets=of_foundation(lambda job: [facet.name for facet in facets_of_job(job)]),
        engine=of_foundation(lambda job: method_of(job)["engine"]),
        settings=of_foundation(lambda job: settings_of_foundation(method_of(job))),
        objectives=of_foundation(objectives_of_foundation),
        hidden=hidden_facets,
        checkpoints=of_foundation(checkpoints_of_job),
        checkpoint_files=of_foundation(checkpoint_files_of_job),
        seed=config["seed"],
    script:
        script_path("pretrain_engine")


rule train_cell:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=files_of_facets("table"),
        pictures=files_of_facets("pictures"),
        encoders=local_encoders,
        hub_encoders=hub_encoders,
        tokens=ancient(counted_tokens),
        statistics=statistics_of_job,
        graphs=graphs_of_job,
        derived=derived_objectives_of_job,
        encodings=encodings_of_job,
        foundation=foundation_of_job,
    output:
        cells=directory(f"{CELLS}/{{method}}/{{combination}}/{{objective}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}/{{objective}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}/{{objective}}.tsv"
    wildcard_constraints:
        method=names_of_methods(lambda wildcards: not engine_of(wildcards).cheap),
    conda:
        "../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        **requests(
            cost_of_training,
            materials_of,
            steps=training_steps,
            gpus=gpus_of_training,
        ),
    params:
        code=lambda wildcards: code_of_rule("train_cells", *engine_code(wildcards)),
        packages=lambda wildcards: packages_of_rule(
            "train_cells", *engine_code(wildcards)
        ),
        kept=kept_cells,
        place=place_of_job,
        facets=lambda wildcards: [facet.name for facet in facets_of_job(wildcards)],
        grid=cells_of_job,
        engine=lambda wildcards: method_of(wildcards)["engine"],
        settings=lambda wildcards: method_of(wildcards)["settings"],
        text=config["composition"]["text"],
        checkpoints=checkpoints_of_job,
        checkpoint_files=checkpoint_files_of_job,
        keep_models=config["training"]["keep_models"],
        leaks=config["training"]["leaks"],
        hidden=hidden_facets,
        seed=config["seed"],
    script:
        script_path("train_cells")


# All cells of a combination, if they train in minutes: they share one process and its imports.
use rule train_cell as train_combination with:
    output:
        cells=directory(f"{CELLS}/{{method}}/{{combination}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}/{{combination}}.tsv"
    wildcard_constraints:
        source=CRYSTALS,
        # Splits by one objective have no other cells.
        split=one_of(
            name for name, split in SPLITS.items() if split["objective"] is None
        ),
        method=names_of_methods(trains_in_batches),
    resources:
        **requests(
            cost_of_training,
            materials_of,
            steps=training_steps_of_batch,
            gpus=gpus_of_training,
        ),


# A method may train batches of cells on crystals and single cells on tables.
ruleorder: train_combination > train_cell


# All cells of a method, if each trains faster than a process starts.
use rule train_cell as train_method with:
    output:
        cells=directory(f"{CELLS}/{{method}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/cells/{{method}}.tsv"
    wildcard_constraints:
        method=names_of_methods(trains_at_once),
    resources:
        **requests(cost_of_training, materials_of, steps=training_steps),
