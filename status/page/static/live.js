// Live regions.
