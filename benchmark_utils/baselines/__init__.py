"""The notebook's Newtons, the blog's generic algorithms, SciPy's callables."""
