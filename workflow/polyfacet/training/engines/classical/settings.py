"""Settings of classical models.

The feature sets are those of Yu, Wu and Qian, "Material Composition Visualization Network": original columns
(O), columns expanded by statistics of element properties (E), and their principal components (E&P).
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from polyfacet.training.engines.base import Settings

Model = Literal["svm", "forest", "ridge", "sgd", "tree", "xgboost", "extra_trees"]
Features = Literal["original", "expanded", "expanded_pca"]
Statistic = Literal["mean", "median"]
# Models whose library has a loss or a rule of prediction for the median.
MEDIAN_MODELS: tuple[Model, ...] = ("forest", "extra_trees", "xgboost")


class ClassicalSettings(Settings):
    """The model and its features."""

    model: Model = Field(default="forest", description="The model, with its library's defaults.")
    statistic: Statistic = Field(
        default="mean",
        description="What is predicted for numbers: the mean at given features, or the median (`forest`, "
        "`extra_trees`, `xgboost`), which has the smaller absolute error where values are skewed.",
    )
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

    @model_validator(mode="after")
    def _check_statistic(self) -> "ClassicalSettings":
        if self.statistic == "median" and self.model not in MEDIAN_MODELS:
            raise ValueError(f"{self.model} predicts no median; {', '.join(MEDIAN_MODELS)} do")
        return self
