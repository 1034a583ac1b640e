# Dataset -> one trained predictor per facet combination, target and split, with predictions and a card.

from polyfacet.training.encoders.own_checkpoints import (
    flat,
    folder_state,
    local_folder,
    own_checkpoints,
)

ENGINE_SETTINGS = config["engine"][config["engine"]["name"]]
# A facet combination without an encoder of its own still waits for the encoders: they take seconds to make.
ENCODERS = (
    config["encoders"]["source"] if needs_encoders(config["engine"]["name"]) else None
)
OWN_CHECKPOINTS = (
    own_checkpoints(
        config["encoders"]["checkpoints"], config["engine"]["automm"]["hyperparameters"]
    )
    if ENCODERS
    else {}
)
try:
    OWN_FOLDERS = {
        facet.value: local_folder(facet, name)
        for facet, name in OWN_CHECKPOINTS.items()
    }
except UserError as error:
    raise WorkflowError(str(error))
FETCHES_ENCODERS = ENCODERS == "hub" or None in OWN_FOLDERS.values()
HAS_TEXT_ENCODER = bool(ENCODERS) and any(
    Facet.TEXT in facets_of(combination) for combination in COMBINATIONS
)


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


# What is fetched stays in a folder that all runs share; this run's output says what it uses of it.
rule fetch_hub_encoders:
    output:
        record=f"{RUN}/hub_encoders.json",
    log:
        f"{LOGS}/fetch_hub_encoders.log",
    benchmark:
        f"{BENCHMARKS}/fetch_hub_encoders.tsv"
    # Often only the machine that Snakemake was started on can reach the network.
    localrule: True
    conda:
        "../envs/training.yaml"
    params:
        code=code_of_rule("fetch_hub_encoders"),
        packages=packages_of_rule("fetch_hub_encoders"),
        cache=config["encoders"]["cache"],
        combinations=COMBINATIONS,
        settings=config["engine"]["automm"],
        checkpoints=config["encoders"]["checkpoints"],
        own_only=ENCODERS == "local",
    script:
        script_path("fetch_hub_encoders")


rule count_tokens:
    input:
        texts=all_shards(TEXT_RULE.output.text),
        encoders=(
            rules.make_local_encoders.output.encoders if ENCODERS == "local" else []
        ),
        hub_encoders=rules.fetch_hub_encoders.output.record if FETCHES_ENCODERS else [],
    output:
        tokens=f"{RUN}/tokens.json",
    log:
        f"{LOGS}/count_tokens.log",
    benchmark:
        f"{BENCHMARKS}/count_tokens.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests("make_local_encoders", n_materials()),
    params:
        code=code_of_rule("count_tokens"),
        packages=packages_of_rule("count_tokens"),
        form=config["composition"]["text"],
        checkpoint=OWN_FOLDERS.get("text"),
        max_text_len=dict(flat(config["engine"]["automm"]["hyperparameters"])).get(
            "model.hf_text.max_text_len"
        ),
    script:
        script_path("count_tokens")


def counted_tokens(wildcards):
    """What says that a cell's encoder knows its texts; the cell waits for it, and does not depend on it."""
    has_text = Facet.TEXT in facets_of(wildcards.combination)
    return rules.count_tokens.output.tokens if ENCODERS and has_text else []


def checkpoints_of_cell(wildcards):
    """The checkpoints of the configuration that concern a cell."""
    named = config["encoders"]["checkpoints"]
    return {
        facet: named[facet]
        for facet in wildcards.combination.split("+")
        if named.get(facet)
    }


def checkpoint_files_of_cell(wildcards):
    """What the local checkpoints of a cell are, for Snakemake to see a change."""
    folders = {
        facet: OWN_FOLDERS.get(facet) for facet in wildcards.combination.split("+")
    }
    return {facet: folder_state(folder) for facet, folder in folders.items() if folder}


rule train_cell:
    input:
        dataset=rules.gather_dataset.output.metadata,
        encoders=(
            rules.make_local_encoders.output.encoders if ENCODERS == "local" else []
        ),
        hub_encoders=rules.fetch_hub_encoders.output.record if FETCHES_ENCODERS else [],
        tokens=ancient(counted_tokens),
        statistics=(
            all_shards(rules.compute_composition_statistics.output.table)
            if needs_statistics(ENGINE_SETTINGS)
            else []
        ),
    output:
        predictions=f"{SPLIT}/cells/{{combination}}/{{target}}/predictions.parquet",
        model=directory(f"{SPLIT}/cells/{{combination}}/{{target}}/model"),
        card=f"{SPLIT}/cells/{{combination}}/{{target}}/card.json",
    log:
        f"{LOGS}/split-{{repeat}}/cells/{{combination}}/{{target}}.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/cells/{{combination}}/{{target}}.tsv"
    conda:
        "../envs/training.yaml"
    threads: config["engine"]["threads"]
    resources:
        **requests(
            training_stage(),
            n_materials(),
            steps=n_materials() * training_epochs(),
            gpus=gpus_of_cell,
        ),
    params:
        code=code_of_rule("train_cell"),
        packages=packages_of_rule("train_cell"),
        objective=objective_of,
        split="split-{repeat}",
        engine=config["engine"]["name"],
        settings=ENGINE_SETTINGS,
        text=config["composition"]["text"],
        checkpoints=checkpoints_of_cell,
        # Files of local checkpoints may change behind their names.
        checkpoint_files=checkpoint_files_of_cell,
        seed=config["seed"],
    script:
        script_path("train_cell")


rule train_dummy:
    input:
        dataset=rules.gather_dataset.output.metadata,
    output:
        predictions=f"{SPLIT}/baselines/{{baseline}}/{{target}}/predictions.parquet",
        model=directory(f"{SPLIT}/baselines/{{baseline}}/{{target}}/model"),
        card=f"{SPLIT}/baselines/{{baseline}}/{{target}}/card.json",
    log:
        f"{LOGS}/split-{{repeat}}/baselines/{{baseline}}/{{target}}.log",
    benchmark:
        f"{BENCHMARKS}/split-{{repeat}}/baselines/{{baseline}}/{{target}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("train_dummy"),
        packages=packages_of_rule("train_dummy"),
        objective=objective_of,
        split="split-{repeat}",
        seed=config["seed"],
    script:
        script_path("train_dummy")
