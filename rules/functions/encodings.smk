# Input, parameter and resource functions of rules/encodings.smk.

from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.runtime.resources import COSTS
from polyfacet.training.engines.registry import reads_encoding


def encoded_for(method, facets):
    """Return those of some facets whose frozen encodings a method reads."""
    return [
        facet
        for facet in facets
        if any(
            reads_encoding(facet, method["engine"], settings)
            for settings in every_settings(method)
        )
    ]


def encoded_facets(source):
    """Return the facets whose encodings methods of a source read, in the order of the registry."""
    return in_order(
        facet
        for name, method in METHODS[source].items()
        for facet in encoded_for(method, facets_of_methods(source, [name]))
    )


def encoding_of(facet):
    """Return the encoding of a facet in the form that this run uses."""
    return facet.encoded_as(facet.form or FORMS.get(facet.base, ""))


def files_of_facet_to_encode(attribute):
    """Return an input function for the files of a job's facet, one per shard."""

    def files(wildcards):
        (files,) = files_of_stages([facet_named(wildcards.facet)])
        pattern = getattr(files, attribute)
        shards = range(n_shards(wildcards.source))
        return expand(pattern, shard=shards, **wildcards) if pattern else []

    return files


def learns_to_encode(wildcards):
    """Return whether the encoder of a job's facet is trained on objectives."""
    return encoding_of(facet_named(wildcards.facet)).learns


def objectives_to_encode(wildcards):
    """Return the objectives that an encoder learns: those of the run, and for crystals all predefined ones.

    As for the network of the graph embedding, requesting one more of these changes nothing.
    """
    if not learns_to_encode(wildcards):
        return []
    own = {
        name: objective.learned
        for name, objective in OBJECTIVES[wildcards.source].items()
    }
    if wildcards.source != CRYSTALS:
        return list(own.values())
    predefined = {each.name: each.objective.learned for each in PREDEFINED}
    return list({**predefined, **own}.values())


def derived_objectives_to_encode(wildcards):
    """Return the tables of those of these objectives that are not in the sample."""
    if not learns_to_encode(wildcards):
        return []
    return derived_objectives(wildcards.source)


def code_of_encoding(wildcards):
    """Return the files of an encoder and of a plug-in's facet, which the script imports by name."""
    facet = facet_named(wildcards.facet)
    return (encoding_of(facet).file, *files_of_makers([facet.base]))


def cost_of_encoding(wildcards):
    """Return the cost of encoding a facet: networks are trained, texts are only counted."""
    return COSTS["train_encoder" if learns_to_encode(wildcards) else "encode_facet"]


def encodings_of_job(wildcards):
    """Return the encodings of a job's facets that its engine reads; their names are those of the facets."""
    return [
        rules.encode_facet.output.encodings.format(
            source=wildcards.source,
            split=wildcards.split,
            repeat=wildcards.repeat,
            facet=facet.name,
        )
        for facet in encoded_for(
            method_of(wildcards), in_order(facets_of_job(wildcards))
        )
    ]


def encoders_of_split(wildcards):
    """Return the encoders of a split, one per encoded facet."""
    return expand(
        rules.encode_facet.output.encoder,
        facet=[facet.name for facet in ENCODED_FACETS[wildcards.source]],
        **wildcards,
    )
