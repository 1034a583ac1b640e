# Objectives, facets and split of every material -> one aligned table, a part for each shard.

# Facet to what its stage makes: the table of a shard, the folder of its pictures if it has any, and what the
# stage says of rejects and of kept results. The table of the materials itself holds the other facets.
FACET_STAGES = {
    Facet.TEXT: FacetStage(
        table=TEXT_RULE.output.text,
        rejected=TEXT_RULE.output.rejected,
        provenance=TEXT_RULE.output.provenance,
    ),
    Facet.IMAGE: FacetStage(
        table=rules.render_images.output.manifest,
        pictures=rules.render_images.output.images,
        rejected=rules.render_images.output.rejected,
        provenance=rules.render_images.output.provenance,
    ),
    Facet.GRAPH: FacetStage(
        table=rules.embed_graphs.output.embeddings,
        rejected=rules.build_graphs.output.rejected,
        provenance=rules.build_graphs.output.provenance,
        provenance_of_split=rules.embed_graphs.output.provenance,
    ),
    Facet.COMPIMAGE: FacetStage(
        table=rules.draw_composition_images.output.manifest,
        pictures=rules.draw_composition_images.output.images,
        rejected=rules.compute_composition_statistics.output.rejected,
        provenance=rules.compute_composition_statistics.output.provenance,
        provenance_of_split=rules.draw_composition_images.output.provenance,
    ),
}


def facets_of_methods(source, methods=None):
    """The facets that methods of a source look at, in the order of the registry."""
    found = {
        facet
        for name, method in METHODS[source].items()
        if methods is None or name in methods
        for combination in method["combinations"]
        for facet in facets_of(combination)
    }
    return [facet for facet in Facet if facet in found]


# Only these are made.
FACETS = {source: facets_of_methods(source) for source in SOURCES}


def staged(facets):
    """Those facets that have a stage of their own."""
    return [facet for facet in facets if facet in FACET_STAGES]


def tables_of_shard(wildcards):
    """Tables of a shard, one per facet that has a stage."""
    return [
        FACET_STAGES[facet].table.format(**wildcards)
        for facet in staged(FACETS[wildcards.source])
    ]


def pictures_of_shard(wildcards):
    """Folders of the pictures of a shard."""
    return [
        FACET_STAGES[facet].pictures.format(**wildcards)
        for facet in staged(FACETS[wildcards.source])
        if FACET_STAGES[facet].pictures
    ]


rule assemble_dataset:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=tables_of_shard,
        pictures=pictures_of_shard,
    output:
        dataset=f"{SPLIT}/dataset/shard-{{shard}}.parquet",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/dataset/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/dataset/shard-{{shard}}.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of_shard),
    params:
        code=code_of_rule("assemble_dataset"),
        packages=packages_of_rule("assemble_dataset"),
        facets=lambda wildcards: [facet.value for facet in FACETS[wildcards.source]],
        n_shards=shards_of,
        structure_pictures=structure_picture_columns(
            config["images"]["views"], config["images"]["arrangement"]
        ),
    script:
        script_path("assemble_dataset")


rule gather_dataset:
    input:
        parts=all_shards_of_source(rules.assemble_dataset.output.dataset),
    output:
        metadata=f"{SPLIT}/dataset/_metadata",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/gather_dataset.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/gather_dataset.tsv"
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("small", materials_of),
    params:
        code=code_of_rule("gather_dataset"),
        packages=packages_of_rule("gather_dataset"),
    script:
        script_path("gather_dataset")
