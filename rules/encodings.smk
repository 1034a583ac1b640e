# Texts and pictures of a split -> numbers for engines without encoders (docs/encodings.md), one table per facet.


include: "functions/encodings.smk"


# Facets of each source that methods read as numbers; only these are encoded.
ENCODED_FACETS = {source: encoded_facets(source) for source in SOURCES}


rule encode_facet:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=files_of_facet_to_encode("table"),
        pictures=files_of_facet_to_encode("pictures"),
        derived=derived_objectives_to_encode,
    output:
        encodings=f"{SPLIT}/encodings/{{facet}}.parquet",
        encoder=f"{SPLIT}/encodings/{{facet}}.safetensors",
        record=f"{SPLIT}/encodings/{{facet}}.json",
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/encodings/{{facet}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/encodings/{{facet}}.tsv"
    wildcard_constraints:
        facet=one_of(
            {
                facet.name: None
                for facets in ENCODED_FACETS.values()
                for facet in facets
            }
        ),
    conda:
        "../envs/training.yaml"
    resources:
        **requests(cost_of_encoding, materials_of),
    params:
        code=lambda wildcards: code_of_rule(
            "encode_facet", *code_of_encoding(wildcards)
        ),
        packages=lambda wildcards: packages_of_rule(
            "encode_facet", *code_of_encoding(wildcards)
        ),
        form=lambda wildcards: FORMS.get(wildcards.facet, ""),
        objectives=objectives_to_encode,
        hidden=hidden_facets,
        seed=lambda wildcards: config["seed"] + int(wildcards.repeat),
    script:
        script_path("encode_facet")
