"""Data augmentation, random changes of images while networks train."""
