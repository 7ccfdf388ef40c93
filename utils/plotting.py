"""The figures of the course: one function a figure, gathered from their rooms in `utils.figures`.

Each one draws and shows; with `ax=` it draws there and returns it. Its arguments are the data
(tensors on any device, with or without gradients, or NumPy arrays), then what the axes count, then
options.
"""

from utils.figures.comparisons import (
    best_of,
    curve_gallery,
    errors_by_rate,
    optimiser_paths,
    paired_differences,
    searched_settings,
)
from utils.figures.curves import (
    curve_with_tangents,
    curves,
    finite_difference_error,
    fit_before_after,
    fit_with_residuals,
    points_and_lines,
    predictions,
    predictions_apart,
    secant_and_tangent,
)
from utils.figures.decisions import kink_lines, softmax_bars, threshold_mistakes
from utils.figures.images import images, outlines, signed_maps, window
from utils.figures.layers import by_layer, distributions
from utils.figures.losses import (
    error_by_setting,
    line_and_loss,
    loss_curves,
    loss_surface,
    scanned_rates,
    seed_bands,
    seed_strip,
)
from utils.figures.points import (
    column_spread,
    points_and_curves,
    residuals,
    scatter_by_group,
)
from utils.figures.regions import (
    confusion_matrix,
    decision_regions,
    logistic_curve,
    softmax_map,
)
from utils.figures.sizes import log_curves, row_order, stacked_bars
from utils.figures.units import (
    activation_and_slope,
    activation_grid,
    gallery,
    node_by_node,
    plane,
    plane_maps,
    response_map,
    selected_region,
    sigmoid_steps,
    ten_maps,
    unit_map,
    units_and_loss,
    weighted_sum,
)

__all__ = [
    "activation_and_slope",
    "activation_grid",
    "best_of",
    "by_layer",
    "column_spread",
    "confusion_matrix",
    "curve_gallery",
    "curve_with_tangents",
    "curves",
    "decision_regions",
    "distributions",
    "error_by_setting",
    "errors_by_rate",
    "finite_difference_error",
    "fit_before_after",
    "fit_with_residuals",
    "gallery",
    "images",
    "kink_lines",
    "line_and_loss",
    "log_curves",
    "logistic_curve",
    "loss_curves",
    "loss_surface",
    "node_by_node",
    "optimiser_paths",
    "outlines",
    "paired_differences",
    "plane",
    "plane_maps",
    "points_and_curves",
    "points_and_lines",
    "predictions",
    "predictions_apart",
    "residuals",
    "response_map",
    "row_order",
    "scanned_rates",
    "scatter_by_group",
    "searched_settings",
    "secant_and_tangent",
    "seed_bands",
    "seed_strip",
    "selected_region",
    "sigmoid_steps",
    "signed_maps",
    "softmax_bars",
    "softmax_map",
    "stacked_bars",
    "ten_maps",
    "threshold_mistakes",
    "unit_map",
    "units_and_loss",
    "weighted_sum",
    "window",
]
