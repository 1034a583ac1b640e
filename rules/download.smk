# Published entries -> data/alexandria: the files in `sources` that do not exist yet.


from polyfacet.sources.alexandria.remote_files import DOWNLOADS, remote_files


include: "functions/download.smk"


try:
    PUBLISHED = remote_files(
        config["download"]["base_url"],
        config["download"]["files"],
        allow_http=config["download"]["allow_http"],
    )
except UserError as error:
    raise WorkflowError(str(error))


# An existing file is data, not an output: no change of code or address may delete it or download it again.
NOT_YET_HERE = [name for name in PUBLISHED if not (DOWNLOADS / name).exists()]


rule download_entries:
    output:
        entry_file=of_user(f"{DOWNLOADS}/{{entry_file}}"),
    log:
        f"{LOGS}/download/{{entry_file}}.log",
    benchmark:
        f"{BENCHMARKS}/download/{{entry_file}}.tsv"
    wildcard_constraints:
        entry_file=one_of(NOT_YET_HERE),
    # Often only the machine on which Snakemake was started can reach the network.
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        code=code_of_rule("download_entries"),
        packages=packages_of_rule("download_entries"),
        url=lambda wildcards: PUBLISHED[wildcards.entry_file].url,
        sha256=lambda wildcards: PUBLISHED[wildcards.entry_file].sha256,
        attempts=config["download"]["attempts"],
        stall_timeout_s=config["download"]["stall_timeout_s"],
        max_size_gb=config["download"]["max_size_gb"],
        allow_http=config["download"]["allow_http"],
    script:
        script_path("download_entries")
