"""Settings of classical models.

The feature sets are those of Yu, Wu and Qian, "Materials Composition Visualization Network": original columns
(O), expanded by the statistics of element properties (E), these after a principal component analysis (E&P).
"""

from typing import Any, Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

Model = Literal["svm", "forest", "ridge", "sgd", "tree", "xgboost", "extra_trees"]
Features = Literal["original", "expanded", "expanded_pca"]


class ClassicalSettings(Settings):
    """Which model, on which features."""

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
        description="Anything that the model can be told, by its library's names; the rest has the library's "
        "defaults.",
    )
