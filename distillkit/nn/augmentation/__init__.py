"""Random changes of images, series and table rows while networks train."""
