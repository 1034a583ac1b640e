# Polyfacet: which facets of a crystal predict which property.
# From raw Alexandria entries to tables and figures; README.md explains how to run it.

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The folder of this file, even if it is included: `workflow.basedir` is that of the outermost Snakefile.
WORKFLOW = Path(workflow.current_basedir).resolve() / "workflow"
sys.path.insert(0, str(WORKFLOW))

from polyfacet.runtime.project_files import (
    hand_package_to_jobs,
    located,
    missing_packages,
)

if missing := missing_packages():
    raise WorkflowError(missing)

hand_package_to_jobs()


report: "workflow/report/workflow.rst"


configfile: located("config/config.yaml")


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/download.smk"
include: "rules/sample.smk"
include: "rules/structures.smk"
include: "rules/images.smk"
include: "rules/pictures.smk"
include: "rules/graphs.smk"
include: "rules/composition.smk"
include: "rules/facets.smk"
include: "rules/dataset.smk"
include: "rules/encodings.smk"
include: "rules/train.smk"
include: "rules/blends.smk"
include: "rules/retrieval.smk"
include: "rules/bundles.smk"
include: "rules/predict.smk"
include: "rules/evaluation.smk"
include: "rules/explanation.smk"
include: "rules/audit.smk"
include: "rules/report.smk"
include: "rules/structure_page.smk"


rule all:
    default_target: True
    input:
        [path for paths in results_of_run().values() for path in paths],


onsuccess:
    print(closing_message())


onerror:
    print(failure_message(log[0]))
