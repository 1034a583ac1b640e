"""The element table rebuilt from installed packages, for machines without XenonPy's data set.

XenonPy collected its properties from mendeleev, Magpie and pymatgen and filled the gaps by imputation.  The
same sources, in the releases of that time where values have changed since, reproduce its measured values;
imputed values differ, because XenonPy's imputation used random numbers.
"""

import sqlite3
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Element
from sklearn.impute import KNNImputer

from polyfacet.facets.compimage.properties import NAMES
from polyfacet.runtime.errors import UserError

MAX_Z = 94
# Later releases have different radii, densities and polarizabilities, and `atomic_radius` changes meaning.
MENDELEEV_VERSION = "0.4.3"
NEIGHBOURS = 5
# Keeps the last bits of distances, which differ between processors, out of the table.
SIGNIFICANT_DIGITS = 9

MAGPIE = {
    "first_ion_en": "FirstIonizationEnergy",
    "fusion_enthalpy": "FusionEnthalpy",
    "gs_bandgap": "GSbandgap",
    "gs_energy": "GSenergy_pa",
    "gs_est_bcc_latcnt": "GSestBCClatcnt",
    "gs_est_fcc_latcnt": "GSestFCClatcnt",
    "gs_mag_moment": "GSmagmom",
    "gs_volume_per": "GSvolume_pa",
    "heat_capacity_mass": "HeatCapacityMass",
    "heat_capacity_molar": "HeatCapacityMolar",
    "icsd_volume": "ICSDVolume",
    "num_unfilled": "NUnfilled",
    "num_valance": "NValence",
    "num_s_unfilled": "NsUnfilled",
    "num_s_valence": "NsValence",
    "num_p_unfilled": "NpUnfilled",
    "num_p_valence": "NpValence",
    "num_d_unfilled": "NdUnfilled",
    "num_d_valence": "NdValence",
    "num_f_unfilled": "NfUnfilled",
    "num_f_valence": "NfValence",
    "Polarizability": "Polarizability",
}
PYMATGEN = {
    "bulk_modulus": "bulk_modulus",
    "electron_negativity": "X",
    "mendeleev_number": "mendeleev_no",
    "molar_volume": "molar_volume",
    "sound_velocity": "velocity_of_sound",
    "thermal_conductivity": "thermal_conductivity",
}
# All others; mendeleev's columns have the same names as in XenonPy.
MENDELEEV = {name: name for name in NAMES if name not in MAGPIE and name not in PYMATGEN}


@dataclass(frozen=True, eq=False)
class RebuiltTable:
    """A complete table, which of its values are measured, and the package versions it came from."""

    table: pd.DataFrame
    measured: pd.DataFrame
    versions: Mapping[str, str]

    def imputed_elements(self) -> dict[str, list[str]]:
        """Return the elements with imputed values, for each property that has any."""
        gaps = ~self.measured
        return {name: list(gaps.index[gaps[name]]) for name in NAMES if gaps[name].any()}


def rebuild_elements() -> RebuiltTable:
    """Collect the properties of H to Pu and impute missing values.

    Raises
    ------
    UserError
        If mendeleev is missing or its version is not ``MENDELEEV_VERSION``.
    """
    symbols = [Element.from_Z(z).symbol for z in range(1, MAX_Z + 1)]
    columns = {**_from_mendeleev(symbols), **_from_magpie(symbols), **_from_pymatgen(symbols)}
    raw = pd.DataFrame(columns, index=pd.Index(symbols, name="element"))[list(NAMES)].astype(float)
    packages = ("mendeleev", "matminer", "pymatgen", "pymatgen-core", "scikit-learn")
    versions = {package: version(package) for package in packages}
    return RebuiltTable(impute(raw), raw.notna(), versions)


def impute(table: pd.DataFrame) -> pd.DataFrame:
    """Fill gaps with the mean of the most similar elements, weighted by inverse distance.

    These are the five elements nearest in all other properties, each scaled to unit variance.  Unlike a chain
    of regressions, the method uses no random numbers and stays within the range of the measured values (no
    negative density).

    Parameters
    ----------
    table
        Elements x properties, NaN in the gaps; every property is known for at least one element.
    """
    mean, deviation = table.mean(), table.std(ddof=0).replace(0, 1)
    scaled = ((table - mean) / deviation).to_numpy()
    filled = KNNImputer(n_neighbors=NEIGHBOURS, weights="distance").fit_transform(scaled)
    imputed = pd.DataFrame(filled, index=table.index, columns=table.columns) * deviation + mean
    return table.where(table.notna(), imputed.map(lambda x: float(f"{x:.{SIGNIFICANT_DIGITS}g}")))


def _from_mendeleev(symbols: list[str]) -> dict[str, pd.Series]:
    """Read mendeleev's database directly: importing such an old release requires an old SQLAlchemy."""
    rows = _mendeleev_rows().set_index("symbol").reindex(symbols)
    return {name: pd.to_numeric(rows[its_name]) for name, its_name in MENDELEEV.items()}


def _mendeleev_rows() -> pd.DataFrame:
    try:
        found = version("mendeleev")
    except PackageNotFoundError:
        found = "none"
    spec = find_spec("mendeleev")
    if found != MENDELEEV_VERSION or spec is None or spec.origin is None:
        raise UserError(
            f"Rebuilding the element table requires mendeleev {MENDELEEV_VERSION} (found: {found}), as later "
            f"releases have different values. Install it (`pip install mendeleev=={MENDELEEV_VERSION}`), or "
            f"name a table in `composition.element_table`."
        )
    database = Path(spec.origin).parent / "elements.db"
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return pd.read_sql_query("SELECT * FROM elements", connection)
    finally:
        connection.close()


def _from_magpie(symbols: list[str]) -> dict[str, pd.Series]:
    from matminer.utils.data import MagpieData  # noqa: PLC0415 - slow, and only a rebuild needs it

    magpie = MagpieData(impute_nan=False)
    return {
        name: pd.Series(
            [magpie.get_elemental_property(Element(symbol), its_name) for symbol in symbols], symbols
        )
        for name, its_name in MAGPIE.items()
    }


def _from_pymatgen(symbols: list[str]) -> dict[str, pd.Series]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one warning per missing value, all of which are imputed later
        return {
            name: pd.Series([_number(getattr(Element(symbol), its_name)) for symbol in symbols], symbols)
            for name, its_name in PYMATGEN.items()
        }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
