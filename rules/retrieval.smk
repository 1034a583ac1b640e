# Foundation that represents facets -> how well materials are found by another of their facets, and representations of
# all materials, which bundles contain for `polyfacet find`.


include: "functions/retrieval.smk"


rule search_facets:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=of_foundation(files_of_facets("table")),
        pictures=of_foundation(files_of_facets("pictures")),
        graphs=of_foundation(graphs_of_job),
        encodings=of_foundation(encodings_of_job),
        foundation=rules.pretrain_engine.output.foundation,
    output:
        retrieval=f"{SPLIT}/retrieval/{{foundation}}.parquet",
        geometry=f"{SPLIT}/retrieval/{{foundation}}.geometry.parquet",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/retrieval/{{foundation}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/retrieval/{{foundation}}.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests(of_foundation(cost_of_training), materials_of),
    params:
        code=of_foundation(lambda job: code_of_rule("search_facets", *engine_code(job))),
        packages=of_foundation(
            lambda job: packages_of_rule("search_facets", *engine_code(job))
        ),
        place=of_foundation(place_of_job),
        facets=of_foundation(lambda job: [facet.name for facet in facets_of_job(job)]),
        engine=of_foundation(lambda job: method_of(job)["engine"]),
        settings=of_foundation(lambda job: settings_of_foundation(method_of(job))),
        hidden=hidden_facets,
        seed=config["seed"],
    script:
        script_path("search_facets")


rule represent_materials:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=of_foundation(files_of_facets("table")),
        pictures=of_foundation(files_of_facets("pictures")),
        graphs=of_foundation(graphs_of_job),
        encodings=of_foundation(encodings_of_job),
        derived=tables_of_known_values,
        foundation=rules.pretrain_engine.output.foundation,
    output:
        representations=f"{SPLIT}/representations/{{foundation}}.parquet",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/representations/{{foundation}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/representations/{{foundation}}.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests(of_foundation(cost_of_training), materials_of),
    params:
        code=of_foundation(
            lambda job: code_of_rule("represent_materials", *engine_code(job))
        ),
        packages=of_foundation(
            lambda job: packages_of_rule("represent_materials", *engine_code(job))
        ),
        facets=of_foundation(lambda job: [facet.name for facet in facets_of_job(job)]),
        objectives=columns_of_known_values,
        engine=of_foundation(lambda job: method_of(job)["engine"]),
        settings=of_foundation(lambda job: settings_of_foundation(method_of(job))),
        hidden=hidden_facets,
    script:
        script_path("represent_materials")
