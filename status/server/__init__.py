"""HTTP itself: the application and its guard, limits, tokens, query parameters, errors. Knows no resource."""
