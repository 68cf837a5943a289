"""What is wrong now, in sentences, with the next sensible step: `status`, the overview page and `doctor`."""
