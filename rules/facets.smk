# Formula or structure -> facet that is declared with a function (docs/extending.md), in shards.


include: "functions/facets.smk"


# Those that methods of this run use.
MADE_FACETS = {
    facet.name: facet
    for source in SOURCES
    for facet in facets_of_methods(source)
    if facet.make
}


rule make_facet:
    input:
        sample=lambda wildcards: (
            [] if of_structure(wildcards) else SAMPLE.format(source=wildcards.source)
        ),
        structures=lambda wildcards: (
            rules.write_structures.output.structures.format(shard=wildcards.shard)
            if of_structure(wildcards)
            else []
        ),
        materials=lambda wildcards: (
            rules.write_structures.output.manifest.format(shard=wildcards.shard)
            if of_structure(wildcards)
            else []
        ),
    output:
        table=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.parquet",
        rejected=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.rejected.parquet",
        provenance=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.provenance.json",
    log:
        f"{LOGS}/{{source}}/facets/{{facet}}/shard-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/facets/{{facet}}/shard-{{shard}}.tsv"
    wildcard_constraints:
        facet=names_of_facets(lambda facet: facet.kind != "image"),
    conda:
        "../envs/crystals.yaml"
    resources:
        **requests("make_facet", materials_of_shard),
    params:
        code=lambda wildcards: code_of_rule(
            "make_facet", *files_of_makers([wildcards.facet])
        ),
        packages=lambda wildcards: packages_of_rule(
            "make_facet", *files_of_makers([wildcards.facet])
        ),
        kept=kept_record,
        n_shards=shards_of,
        max_rejected_fraction=max_rejected_fraction,
    script:
        script_path("make_facet")


use rule make_facet as make_picture_facet with:
    output:
        pictures=directory(f"{SOURCE}/facets/{{facet}}/shard-{{shard}}"),
        table=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.parquet",
        rejected=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.rejected.parquet",
        provenance=f"{SOURCE}/facets/{{facet}}/shard-{{shard}}.provenance.json",
    wildcard_constraints:
        facet=names_of_facets(lambda facet: facet.kind == "image"),
