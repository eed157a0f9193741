"""Network architectures (MLP, ConvNet, LeNet and ResNet), and their construction by name."""
