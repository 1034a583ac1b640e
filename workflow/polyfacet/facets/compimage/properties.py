"""The 56 element properties of the composition image, in the order of its blocks (row by row, 8 x 7).

They are XenonPy's 58 without the two Herfindahl-Hirschman indices; the order is that of the template
published with Yu, Wu and Qian, "Material Composition Visualization Network".  Names and their spelling are
XenonPy's.
"""

from typing import NamedTuple


class Property(NamedTuple):
    """A property of an element."""

    name: str
    unit: str
    meaning: str


PROPERTIES = (
    Property("en_pauling", "", "electronegativity, Pauling"),
    Property("atomic_number", "", "atomic number"),
    Property("period", "", "period of the periodic table"),
    Property("atomic_radius_rahm", "pm", "atomic radius, Rahm"),
    Property("lattice_constant", "A", "lattice constant of the element"),
    Property("gs_bandgap", "eV", "DFT band gap of the ground state"),
    Property("c6_gb", "hartree bohr^6", "C6 dispersion coefficient, Gould and Bucko"),
    Property("electron_negativity", "", "electronegativity, tabulated Pauling-like scale"),
    Property("num_unfilled", "", "unfilled valence orbitals"),
    Property("num_valance", "", "valence electrons"),
    Property("covalent_radius_slater", "pm", "covalent radius, Slater"),
    Property("atomic_radius", "pm", "atomic radius"),
    Property("gs_energy", "eV/atom", "DFT energy of the ground state"),
    Property("bulk_modulus", "GPa", "bulk modulus"),
    Property("en_ghosh", "", "electronegativity, Ghosh"),
    Property("num_s_valence", "", "filled valence s orbitals"),
    Property("num_s_unfilled", "", "unfilled valence s orbitals"),
    Property("covalent_radius_cordero", "pm", "covalent radius, Cordero"),
    Property("vdw_radius", "pm", "van der Waals radius"),
    Property("gs_est_bcc_latcnt", "A", "BCC lattice constant estimated from the DFT volume"),
    Property("sound_velocity", "m/s", "speed of sound"),
    Property("en_allen", "eV", "electronegativity, Allen"),
    Property("num_d_unfilled", "", "unfilled valence d orbitals"),
    Property("num_d_valence", "", "filled valence d orbitals"),
    Property("covalent_radius_pyykko", "pm", "single-bond covalent radius, Pyykko"),
    Property("vdw_radius_uff", "pm", "van der Waals radius, UFF"),
    Property("gs_est_fcc_latcnt", "A", "FCC lattice constant estimated from the DFT volume"),
    Property("atomic_weight", "u", "standard atomic weight"),
    Property("electron_affinity", "eV", "electron affinity"),
    Property("num_p_unfilled", "", "unfilled valence p orbitals"),
    Property("num_p_valence", "", "filled valence p orbitals"),
    Property("covalent_radius_pyykko_double", "pm", "double-bond covalent radius, Pyykko"),
    Property("vdw_radius_alvarez", "pm", "van der Waals radius, Alvarez"),
    Property("gs_mag_moment", "uB/atom", "DFT magnetic moment of the ground state"),
    Property("density", "g/cm^3", "density"),
    Property("mendeleev_number", "", "Mendeleev number"),
    Property("num_f_unfilled", "", "unfilled valence f orbitals"),
    Property("num_f_valence", "", "filled valence f orbitals"),
    Property("covalent_radius_pyykko_triple", "pm", "triple-bond covalent radius, Pyykko"),
    Property("vdw_radius_mm3", "pm", "van der Waals radius, MM3"),
    Property("gs_volume_per", "A^3/atom", "DFT volume of the ground state"),
    Property("molar_volume", "cm^3/mol", "molar volume"),
    Property("heat_capacity_molar", "J/(mol K)", "molar heat capacity"),
    Property("heat_capacity_mass", "J/(g K)", "heat capacity per mass"),
    Property("first_ion_en", "eV", "first ionization energy"),
    Property("heat_of_formation", "kJ/mol", "heat of formation"),
    Property("boiling_point", "K", "boiling point"),
    Property("dipole_polarizability", "bohr^3", "static dipole polarizability"),
    Property("icsd_volume", "A^3/atom", "volume at ambient conditions, ICSD"),
    Property("thermal_conductivity", "W/(m K)", "thermal conductivity"),
    Property("specific_heat", "J/(g K)", "specific heat at 20 C"),
    Property("fusion_enthalpy", "kJ/mol", "enthalpy of fusion"),
    Property("evaporation_heat", "kJ/mol", "heat of evaporation"),
    Property("melting_point", "K", "melting point"),
    Property("Polarizability", "A^3", "static dipole polarizability"),
    Property("atomic_volume", "cm^3/mol", "atomic volume"),
)
NAMES = tuple(prop.name for prop in PROPERTIES)
