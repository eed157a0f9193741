"""The networks: MLP, ConvNet, LeNet and ResNet, and the function that makes one by name."""
