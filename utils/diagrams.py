"""The schematics of the course: tensors as grids, networks, graphs, what flows where.

Gathered from their rooms in `utils.figures`; each one draws and shows, and with `ax=` it draws
there and returns it.
"""

from utils.figures.chain import chain_step
from utils.figures.comparisons import three_roles
from utils.figures.flow import data_flow
from utils.figures.graphs import computation_graph, decision_path, training_loop
from utils.figures.grids import broadcasting, reductions, selections, tensors
from utils.figures.networks import building_block, feature_maps, network, weight_graph
from utils.figures.sizes import ranks

__all__ = [
    "broadcasting",
    "building_block",
    "chain_step",
    "computation_graph",
    "data_flow",
    "decision_path",
    "feature_maps",
    "network",
    "ranks",
    "reductions",
    "selections",
    "tensors",
    "three_roles",
    "training_loop",
    "weight_graph",
]
