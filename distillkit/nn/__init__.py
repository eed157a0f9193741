"""Networks, training and data augmentation that the neural methods share.

Importing this package loads torch.
"""

from distillkit.nn.augmentation._augment import Augmentation, Draw
from distillkit.nn.augmentation._row_augment import RowAugmentation, training_augmentation
from distillkit.nn.convolution._halving_pool import with_fast_pools
from distillkit.nn.estimators._classifier import NetworkClassifier
from distillkit.nn.estimators._regressor import NetworkRegressor
from distillkit.nn.networks._build import NETWORKS, check_fit, count_parameters, make_network, network_name
from distillkit.nn.networks._convnet import ConvNet, ConvNet1d
from distillkit.nn.networks._lenet import LeNet
from distillkit.nn.networks._mlp import Mlp
from distillkit.nn.networks._resnet import ResNet18
from distillkit.nn.runtime._compiled import can_compile
from distillkit.nn.runtime._device import mixed_precision, resolve_device
from distillkit.nn.runtime._modes import evaluating
from distillkit.nn.runtime._pieces import in_pieces, rows_per_piece, rows_to_share
from distillkit.nn.runtime._seeding import (
    DrawsFrom,
    draws_random_numbers,
    make_generator,
    seeded,
    seeded_layers,
)
from distillkit.nn.runtime._threads import Threads, takes_threads
from distillkit.nn.training._backward import Backward
from distillkit.nn.training._losses import RowLoss, class_loss, distillation_loss, number_loss, soft_label_loss
from distillkit.nn.training._map_rows import map_rows
from distillkit.nn.training._progress import Progress
from distillkit.nn.training._recipe import Recipe
from distillkit.nn.training._train import DivergedError, embed_rows, predict_rows, train_network
from distillkit.nn.training._unroll import unroll

__all__ = [
    "NETWORKS",
    "Augmentation",
    "Backward",
    "ConvNet",
    "ConvNet1d",
    "DivergedError",
    "Draw",
    "DrawsFrom",
    "LeNet",
    "Mlp",
    "NetworkClassifier",
    "NetworkRegressor",
    "Progress",
    "Recipe",
    "ResNet18",
    "RowAugmentation",
    "RowLoss",
    "Threads",
    "can_compile",
    "check_fit",
    "class_loss",
    "count_parameters",
    "distillation_loss",
    "draws_random_numbers",
    "embed_rows",
    "evaluating",
    "in_pieces",
    "make_generator",
    "make_network",
    "map_rows",
    "mixed_precision",
    "network_name",
    "number_loss",
    "predict_rows",
    "resolve_device",
    "rows_per_piece",
    "rows_to_share",
    "seeded",
    "seeded_layers",
    "soft_label_loss",
    "takes_threads",
    "train_network",
    "training_augmentation",
    "unroll",
    "with_fast_pools",
]
