"""Networks, training and augmentation that the neural methods share. Importing it loads torch."""

from distillkit.nn._augment import Augmentation, Draw
from distillkit.nn._backward import Backward
from distillkit.nn._build import NETWORKS, check_fit, count_parameters, make_network, network_name
from distillkit.nn._classifier import NetworkClassifier
from distillkit.nn._compiled import can_compile
from distillkit.nn._convnet import ConvNet, ConvNet1d
from distillkit.nn._device import mixed_precision, resolve_device
from distillkit.nn._lenet import LeNet
from distillkit.nn._losses import RowLoss, class_loss, distillation_loss, number_loss, soft_label_loss
from distillkit.nn._map_rows import map_rows
from distillkit.nn._mlp import Mlp
from distillkit.nn._modes import evaluating
from distillkit.nn._pieces import in_pieces, rows_per_piece, rows_to_share
from distillkit.nn._progress import Progress
from distillkit.nn._recipe import Recipe
from distillkit.nn._regressor import NetworkRegressor
from distillkit.nn._resnet import ResNet18
from distillkit.nn._row_augment import RowAugmentation, training_augmentation
from distillkit.nn._seeding import make_generator, seeded
from distillkit.nn._threads import Threads, takes_threads
from distillkit.nn._train import DivergedError, embed_rows, predict_rows, train_network
from distillkit.nn._unroll import unroll

__all__ = [
    "NETWORKS",
    "Augmentation",
    "Backward",
    "ConvNet",
    "ConvNet1d",
    "DivergedError",
    "Draw",
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
    "soft_label_loss",
    "takes_threads",
    "train_network",
    "training_augmentation",
    "unroll",
]
