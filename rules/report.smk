# Cards of all cells -> one table -> MAE and MASE tables, figures, report.

REPORT = f"{RUN}/report"


rule merge_cards:
    input:
        cards=expand(
            rules.train_cell.output.card,
            repeat=REPEATS,
            combination=COMBINATIONS,
            target=TARGETS,
        ),
        baseline_cards=expand(
            rules.train_dummy.output.card,
            repeat=REPEATS,
            baseline=["mean", "median"],
            target=TARGETS,
        ),
    output:
        cells=f"{REPORT}/cells.parquet",
        cells_csv=f"{REPORT}/cells.csv",
    log:
        f"{LOGS}/merge_cards.log",
    benchmark:
        f"{BENCHMARKS}/merge_cards.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("merge_cards"),
        packages=packages_of_rule("merge_cards"),
    script:
        script_path("merge_cards")


rule tabulate_results:
    input:
        cells=rules.merge_cards.output.cells,
    output:
        mae_csv=f"{REPORT}/mae.csv",
        mae_md=f"{REPORT}/mae.md",
        mase_csv=f"{REPORT}/mase.csv",
        mase_md=f"{REPORT}/mase.md",
    log:
        f"{LOGS}/tabulate_results.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_results.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("tabulate_results"),
        packages=packages_of_rule("tabulate_results"),
    script:
        script_path("tabulate_results")


rule plot_results:
    input:
        cells=rules.merge_cards.output.cells,
    output:
        heatmap=f"{REPORT}/mase_heatmap.png",
        bars=f"{REPORT}/mae_bars.png",
    log:
        f"{LOGS}/plot_results.log",
    benchmark:
        f"{BENCHMARKS}/plot_results.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("plot_results"),
        packages=packages_of_rule("plot_results"),
    script:
        script_path("plot_results")


rule draw_contact_sheet:
    input:
        dataset=expand(rules.gather_dataset.output.metadata, repeat=0)[0],
    output:
        sheet=f"{REPORT}/contact_sheet.png",
    log:
        f"{LOGS}/draw_contact_sheet.log",
    benchmark:
        f"{BENCHMARKS}/draw_contact_sheet.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("draw_contact_sheet"),
        packages=packages_of_rule("draw_contact_sheet"),
        n_pictures=100,
    script:
        script_path("draw_contact_sheet")


rule write_report:
    input:
        cells=rules.merge_cards.output.cells,
        summary=rules.sample.output.summary,
        sample=rules.sample.output.sample,
        splits=expand(rules.split_materials.output.split, repeat=REPEATS),
        networks=expand(rules.fit_network.output.record, repeat=REPEATS),
        twins=all_shards(rules.find_twins.output.twins),
        mae_md=rules.tabulate_results.output.mae_md,
        mase_md=rules.tabulate_results.output.mase_md,
        heatmap=rules.plot_results.output.heatmap,
        bars=rules.plot_results.output.bars,
        sheet=rules.draw_contact_sheet.output.sheet,
        legend=rules.draw_composition_legend.output.legend,
        tokens=[rules.count_tokens.output.tokens] if HAS_TEXT_ENCODER else [],
        rejected=[
            *all_shards(rules.write_structures.output.rejected),
            *all_shards(rules.render_images.output.rejected),
            *all_shards(rules.build_graphs.output.rejected),
            *all_shards(TEXT_RULE.output.rejected),
            *all_shards(rules.compute_composition_statistics.output.rejected),
        ],
        provenance=[
            *all_shards(rules.write_structures.output.provenance),
            *all_shards(rules.render_images.output.provenance),
            *all_shards(rules.build_graphs.output.provenance),
            *all_shards(TEXT_RULE.output.provenance),
            *all_shards(rules.compute_composition_statistics.output.provenance),
            *expand(all_shards(rules.embed_graphs.output.provenance), repeat=REPEATS),
            *expand(
                all_shards(rules.draw_composition_images.output.provenance),
                repeat=REPEATS,
            ),
        ],
    output:
        report=f"{REPORT}/report.md",
        twins_csv=f"{REPORT}/twins.csv",
    log:
        f"{LOGS}/write_report.log",
    benchmark:
        f"{BENCHMARKS}/write_report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **requests("small", n_materials()),
    params:
        code=code_of_rule("write_report"),
        packages=packages_of_rule("write_report"),
        run_name=config["run_name"],
    script:
        script_path("write_report")
