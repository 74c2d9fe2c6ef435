"""Make pages, figures and the site of results."""
