# Pictures of the crystals and nothing else, with `snakemake pictures`; not part of `rule all`.


include: "functions/pictures.smk"


rule draw_sheet_of_pictures:
    input:
        structures=all_shards(rules.write_structures.output.manifest),
        tables=all_shards(rules.render_images.output.manifest),
        pictures=all_shards(rules.render_images.output.images),
    output:
        sheet=f"{RUN}/{CRYSTALS}/images/contact_sheet.png",
    log:
        f"{LOGS}/{CRYSTALS}/images/draw_sheet_of_pictures.log",
    benchmark:
        f"{BENCHMARKS}/{CRYSTALS}/images/draw_sheet_of_pictures.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("draw_sheet_of_pictures"),
        packages=packages_of_rule("draw_sheet_of_pictures"),
        n_pictures=100,
    script:
        script_path("draw_sheet_of_pictures")


rule pictures:
    input:
        rules.draw_sheet_of_pictures.output.sheet,
    localrule: True
