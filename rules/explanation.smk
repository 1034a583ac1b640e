# Foundation that reads pictures or graphs -> what its predictions are explained by, and whether that can be trusted.

from polyfacet.training.engines.explaining import CAPTUM


include: "functions/explanation.smk"


if config["explanations"] is not None and workflow.is_main_process:
    if not explained_predictions():
        print(
            "Nothing can be explained: no method trains a network that reads composition images, pictures or "
            "graphs (docs/explanation.md).",
            file=sys.stderr,
        )
    elif not workflow.deployment_settings.deployment_method and CAPTUM.fault():
        raise WorkflowError(f"explanations: {CAPTUM.fault()}")


# A control: the same foundation, trained on the values of other materials.
use rule pretrain_engine as pretrain_on_permuted_values with:
    output:
        foundation=directory(f"{SPLIT}/permuted_foundations/{{foundation}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/permuted_foundations/{{foundation}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/permuted_foundations/{{foundation}}.tsv"
    params:
        permuted=True,


rule explain_predictions:
    input:
        sample=SAMPLE,
        split=rules.split_materials.output.split,
        tables=of_foundation(files_of_facets("table")),
        pictures=of_foundation(files_of_facets("pictures")),
        graphs=of_foundation(graphs_of_job),
        derived=of_foundation(derived_objectives_of_foundation),
        encodings=of_foundation(encodings_of_job),
        foundation=rules.pretrain_engine.output.foundation,
        permuted=rules.pretrain_on_permuted_values.output.foundation,
    output:
        explanation=directory(f"{SPLIT}/explanations/{{foundation}}"),
    log:
        f"{LOGS}/{{source}}/{{split}}-{{repeat}}/explanations/{{foundation}}.log",
    benchmark:
        f"{BENCHMARKS}/{{source}}/{{split}}-{{repeat}}/explanations/{{foundation}}.tsv"
    conda:
        "../envs/training.yaml"
    resources:
        **requests(
            of_foundation(cost_of_foundation),
            materials_of,
            steps=steps_of_explanation,
        ),
    params:
        code=of_foundation(
            lambda job: code_of_rule("explain_predictions", *explaining_code(job))
        ),
        packages=of_foundation(
            lambda job: packages_of_rule("explain_predictions", *explaining_code(job))
        ),
        place=of_foundation(place_of_job),
        facets=of_foundation(lambda job: [facet.name for facet in facets_of_job(job)]),
        engine=of_foundation(lambda job: method_of(job)["engine"]),
        settings=of_foundation(lambda job: settings_of_foundation(method_of(job))),
        objectives=of_foundation(objectives_of_foundation),
        layout=config["composition"]["layout"],
        materials=lambda wildcards: config["explanations"]["materials"],
        maps=lambda wildcards: config["explanations"]["maps"],
        hidden=hidden_facets,
        seed=config["seed"],
    script:
        script_path("explain_predictions")
