# Input and parameter functions of rules/blends.smk.


def cells_of_members(wildcards):
    """Return the folders of the cells that the cells of a blend are made of."""
    paths = [
        path
        for member in method_of(wildcards)["settings"]["members"]
        for path in cells_of_method(
            with_method(wildcards, member["method"]), member["combinations"]
        )
    ]
    return list(dict.fromkeys(paths))


def folder_of_methods(wildcards, output):
    """Return the folder with the cells of all methods on a job's split."""
    return str(Path(output.cells).parent)
