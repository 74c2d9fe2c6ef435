"""The referee: what the problem is and how far a point is from its optimum."""
