"""What the page says of each experiment, whatever its results."""

ALL = """\
How the engine [`joint`](../../engines.md#joint) learns from 1,000 one-dimensional crystals of Alexandria,
split by formula (`config/studies/joint.yaml`): facets `text`, `image`, `graph` and `compimage`, all seven
objectives at once, with default settings (fusion `mean`), which were chosen on validation rows of the first
split. Fusions are compared below. Structure pictures are read by their [frozen
encoding](../../encodings.md), made once per split, instead of a tower of pixels, which would be trained in
each of some 60 trainings per repeat. This encoding and the graph embedding come from networks that have
seen the objectives of the whole training part, also of rows whose facets are hidden below, and of rows that
choose the epoch; all rivals read the same numbers. `graph` reveals the volume per atom, which counts here
like the other objectives.

MASE is the mean absolute error over the mean absolute deviation of the test values (1 is as good as always
predicting their mean), averaged over the seven objectives and the finished repeats. Networks are trained on
the training part, a tenth of which chooses the epoch; test rows choose nothing. Verdicts follow from the
corrected resampled t-test over repeats, with Holm's correction for the rows of a table and a margin of 2 %
of the rival's error ([comparisons](../../evaluation.md)). With one repeat there is no test, and everything
is description. Times are of one processor thread, on a machine that did other work, too. The tables
`*.parquet` have every number behind this page."""
LACKING = {
    "dedicated": "no networks of one subset, no ridge regression, no trees",
    "missing": "no training rows with hidden facets, no imputation",
    "fusions": "no other fusion than the default, no ablation",
    "shares": "no shares of facets, no Shapley values, no mean gates",
    "robustness": "no curve over the share of missing facets, no noise, no swapped facet",
}
NOT_BEGUN = """\
The comparison with the best of the other methods at 10,000 materials, in the study `ten_thousand`
([studies](../../studies.md)), is not begun."""
DEDICATED = """\
`dedicated` is the same network with the same seed and epochs, but with the facets of the subset alone, all
of which it always sees and which choose its epoch. `ridge` and `extra_trees` are fitted for each objective
on the numbers of the facets, side by side (text as atomic fractions), with the settings of
`config/studies/one_dimensional.yaml`, on the whole training part."""
HIDDEN = """\
Half of all facets of all training rows are hidden at random; each row keeps at least one. Test rows show
the subset of the first column.

- `universal` learns from all rows.
- `dedicated` networks learn from the rows that have all facets of their subset. Their number is in the
  table, without those that choose the epoch.
- `complete rows`, a network of all subsets, learns from the rows that have all four facets, as other
  engines do.
- `imputed` is one network of four facets. Missing facets of training rows are imputed from the others by
  ridge regression (three rounds, penalties by generalised cross-validation), and so are those of test rows.
- `imputed universal` is the network of all subsets, trained on these imputed rows."""
FUSIONS = """\
All have the same head, rows and seeds, and, with two exceptions, the same towers and epochs.
`cross_attention` and `gated_cross_attention` read vectors as four tokens instead of one, with larger towers;
`mean_of_four_tokens` and `transformer_of_four_tokens` are their controls. `film_last` has 40 more epochs.
Seconds per epoch include the comparison of all subsets on held-out rows (`all_facets_always`: of all
facets). `film_joint` and `film_last` are `mean` with a scale and shift for each subset; `gated_with_entropy`
is `gated` with a weight of 0.03 on the entropy of its gates. Ablations of `mean`: `all_facets_always` trains
without drawing subsets (and its epoch is chosen by all facets), `independent_drawing` shows each facet with a
probability of 0.7, `progressive_drawing` with one that falls from 1 to 0.7, `no_noise` leaves numbers as they
are. Late fusions blend the four dedicated networks of one facet, with weights that are
fitted on validation rows (`late_stacking`) or equal (`late_average`)."""
SHARES = """\
The worth of a subset is by how much it reduces the absolute error against the training median, in mean
absolute deviations of the objective; Shapley values divide the worth of all four facets exactly. Shares are
gates, shares of experts, or attention rollout, for test rows that show all facets: one per facet and row,
for all objectives. The last column is the rank correlation over materials of the share of a facet with its
Shapley value (mean over objectives). It is 0 if the share does not follow what the facet contributes to
that material."""
AGREEMENT = """\
Rank correlations over the facets: of mean shares with the Shapley values of an objective (mean over
objectives); of a material's own shares with its own Shapley values (mean over materials); and, as the
control, of the mean shares with a material's Shapley values. Own shares that do no better than the control
tell nothing about a single material."""
HIDDEN_IN_TEST = """\
Facets of test rows hidden at random, at least one left per row, so that 0.75 leaves each row one. Networks
are trained on complete rows. `dedicated` answers each row by the network of the facets that it has left."""
DISTURBED = """\
One facet of all test rows disturbed, the others as they are: normal noise on its tokens, in standard
deviations of each of their numbers (`noise`), or the facet of another row (`swapped`). `left out` is the
control: a disturbed facet that costs more had better be ignored."""
NOTICED = """\
Does the fusion notice? Change of the mean share of the disturbed facet; the equal shares of `mean` are the
control:"""
