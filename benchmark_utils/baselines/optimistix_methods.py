"""Optimistix on F / n, compiled by XLA; imports JAX."""
from functools import partial

import jax
import jax.numpy as jnp
import lineax
import optimistix

jax.config.update("jax_enable_x64", True)

MAX_STEPS = 10**5


def objective(x, problem):
    A, y, ridge = problem
    # a mean: tolerances mean the same whatever the number of samples
    loss = jnp.logaddexp(0.0, -y * (A @ x)).sum()
    return (loss + 0.5 * (ridge * x * x).sum()) / len(y)


@partial(jax.jit, static_argnames="method")
def minimize(problem, tol, method):
    """The minimizer of F / n from zero, at ``rtol = atol = tol``.

    Parameters
    ----------
    problem : tuple
        The data with a column for the intercept (dense or BCSR), the labels,
        and the ridge of each column.
    tol : float
    method : {"newton", "bfgs", "lbfgs"}
    """
    x0 = jnp.zeros(problem[2].shape)
    if method == "newton":
        solver = optimistix.Newton(
            rtol=tol, atol=tol, linear_solver=lineax.Cholesky()
        )
        return optimistix.root_find(
            jax.grad(objective), solver, x0, problem, max_steps=200,
            throw=False,
            tags=frozenset({lineax.positive_semidefinite_tag}),
        ).value
    minimiser = {"bfgs": optimistix.BFGS, "lbfgs": optimistix.LBFGS}[method]
    return optimistix.minimise(
        objective, minimiser(rtol=tol, atol=tol), x0, problem,
        max_steps=MAX_STEPS, throw=False,
    ).value
