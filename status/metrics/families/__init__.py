"""What `/metrics` tells besides the series of jobs: one file per part of the house. Collected by `exposition`."""
