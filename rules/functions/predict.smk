# Input, parameter and resource functions of rules/predict.smk.

import json

from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.resources import COSTS
from polyfacet.sources import planning
from polyfacet.training.bundles.description import (
    DESCRIPTION_FILE,
    MODEL_FOLDER,
    encoder_name,
    read_description,
)
from polyfacet.training.engines.base import ENGINE_FILE


def bundle_folder():
    """Return the folder of the bundle that predicts."""
    section = config["predict"]
    if not section["bundle"] or not section["sources"]:
        raise WorkflowError(
            "`snakemake predict` needs a bundle and new materials. Write for example\n"
            "      predict: {bundle: results/default/crystals/formula-0/bundles/automm/text/gap, "
            "sources: [crystals/]}"
        )
    return Path(section["bundle"])


@cache
def bundle_of_run():
    """Return the description of the bundle that predicts."""
    try:
        return read_description(bundle_folder())
    except UserError as error:
        raise WorkflowError(str(error))


def description_of_bundle(wildcards):
    """Return the file that describes the bundle, with the digests of all its files."""
    bundle_of_run()
    return of_user(str(bundle_folder() / DESCRIPTION_FILE))


def digest_of_bundle(wildcards):
    """Return a digest of the bundle: Snakemake compares only times."""
    return sha256_of_file(bundle_folder() / DESCRIPTION_FILE)


def code_of_bundle():
    """Return the files of the engine, facets and plug-ins of the bundle, which predictions import by name."""
    model = json.loads((bundle_folder() / MODEL_FOLDER / ENGINE_FILE).read_text())
    bundle = bundle_of_run()
    encodings = [
        facet_named(facet.name).encoded_as(facet.form)
        for facet in bundle.facets
        if encoder_name(facet.name) in bundle.fitted
    ]
    return (
        *engine_files(model["engine"], model["settings"]),
        *files_of_makers([facet.name for facet in bundle.facets]),
        *(encoding.file for encoding in encodings),
    )


def files_of_new_materials(wildcards):
    """Return the files of the new materials, but folders of structure files as such."""
    bundle_folder()
    sources = config["predict"]["sources"]
    return [
        *map(of_user, planning.watched_files(sources, PUBLISHED)),
        *(ancient(of_user(folder)) for folder in planning.watched_folders(sources)),
    ]


def state_of_new_materials(wildcards):
    """Return a digest that identifies the content of these files."""
    return planning.state_of_sources(
        config["predict"]["sources"], PUBLISHED, Path(".snakemake/polyfacet")
    )


@cache
def n_new_materials():
    """Estimate the number of new materials."""
    return planning.estimated_materials(config["predict"]["sources"], PUBLISHED)


@cache
def n_shards_of_predictions():
    """Return the number of shards; predictions do not depend on it."""
    if config["predict"]["shards"]:
        return config["predict"]["shards"]
    by_size = math.ceil(n_new_materials() / config["shard_size"])
    return min(max(1, by_size), MAX_DERIVED_SHARDS)


def new_materials_of_shard(wildcards):
    """Return the number of new materials of a shard."""
    return math.ceil(n_new_materials() / n_shards_of_predictions())


def shards_of_predictions(pattern):
    """Return an input function for the files of all shards."""
    return lambda wildcards: expand(pattern, shard=range(n_shards_of_predictions()))


def draws_structures(bundle):
    """Return whether a bundle looks at pictures of structures."""
    return any(facet.name == IMAGE.name for facet in bundle.facets)


def gpus_of_pictures_of_bundle(wildcards):
    """Request this machine's GPU if a shard draws pictures of structures and its browser may use the GPU."""
    bundle = bundle_of_run()
    return (
        gpus_of_drawing(bundle.settings.images.webgl)
        if draws_structures(bundle)
        else None
    )


def cost_of_predicting(wildcards):
    """Return the cost of predicting a shard: pictures of structures take far longer than all else."""
    draws = draws_structures(bundle_of_run())
    return COSTS["predict_with_pictures" if draws else "predict_materials"]
