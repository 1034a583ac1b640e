"""Settings of classical models.

The feature sets are those of Yu, Wu and Qian, "Material Composition Visualization Network": original columns
(O), columns expanded by statistics of element properties (E), and their principal components (E&P).
"""

from typing import Any, Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

Model = Literal["svm", "forest", "ridge", "sgd", "tree", "xgboost", "extra_trees"]
Features = Literal["original", "expanded", "expanded_pca"]


class ClassicalSettings(Settings):
    """The model and its features."""

    model: Model = Field(default="forest", description="The model, with its library's defaults.")
    features: Features = Field(
        default="original",
        description="`original`: the facets' own numbers; `expanded`: with the 392 statistics of element "
        "properties; `expanded_pca`: principal components of these.",
    )
    pca_variance: float = Field(
        default=0.99,
        gt=0,
        lt=1,
        description="Share of the variance that the components of `expanded_pca` keep.",
    )
    hyperparameters: dict[str, Any] = Field(
        default={},
        description="Hyperparameters of the model, under its library's names; the others keep the library's "
        "defaults.",
    )
