r"""Newton's method, dense or sparse, directions by preconditioned CG.

Every iteration: weights on the margins, gradient g, direction d from
:math:`H d = -g` by conjugate gradients, step length on the margins. What is
chosen is the preconditioner (none but the diagonal, or a Cholesky factor of a
Gram matrix, from all rows or a sample, made anew only when CG has become
slow) and the precision of the products (float32 far from the end, float64
gradients near it). See docs/fast_newton.md.
"""
import numpy as np
from numba import njit

from benchmark_utils.cholesky import factorize, solve
from benchmark_utils.passes import (
    add_squares,
    exact_gradient,
    hessian_product,
    products_only,
    transposed_product,
    weighted_gram,
)
from benchmark_utils.tiny_newton import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
)
from benchmark_utils.vector_math import (
    LOOPS,
    exact_step,
    loss_weights_curvature,
    slope_along,
)

# CG made no progress, or the search found no descent: the caller tries again
# with float64 products and all rows
NEEDS_CARE = 3
# Rows whose curvature is below this share of the largest are left out of H;
# on Gaussian data 60 to 85 % of the rows near the optimum
_INACTIVE = 0.003
# Iterations without progress that are waited for
_PATIENCE = 10
# Multiply-adds a second by which work is compared (only ratios matter)
GRAM32, GRAM64, CHOLESKY = 9e10, 4.5e10, 1.5e10


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def balanced_gap(X, y, rows, w, m, s, r, l2, out):
    """The duality gap at (w, b) of a problem with an intercept.

    The weights of the heavier class are scaled by c until
    sum_i y_i a_i = 0; one more pass over X, and KL(c s || s) for each of its
    samples.
    """
    positive = 0.0
    negative = 0.0
    for i in range(y.size):
        if y[i] > 0.0:
            positive += s[i]
        else:
            negative += s[i]
    heavier = max(positive, negative)
    c = min(positive, negative) / heavier if heavier > 0.0 else 1.0
    sign = 1.0 if positive > negative else -1.0
    gap = 0.0
    left = np.log1p(-c) if c < 1.0 else 0.0
    for i in range(y.size):
        scaled = y[i] * sign > 0.0
        dual = c * s[i] if scaled else s[i]
        r[i] = -y[i] * dual
        if scaled and c < 1.0:
            x = left - m[i]
            rest = np.log1p(np.exp(-abs(x))) + max(x, 0.0)
            log_c = np.log(c) if c > 0.0 else 0.0
            gap += max(dual * log_c + (1.0 - dual) * rest, 0.0)
    out[:] = 0.0
    transposed_product(X, rows, r, out)
    for j in range(w.size):
        gap += (out[j] + l2 * w[j]) ** 2 / (2.0 * l2)
    return gap


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _sample(h, rows, count, wanted, roots, chosen):
    """Rows with probability min(1, c h), systematically, and their weights.

    The sampled Gram matrix has the expectation of the whole one. `chosen`
    gets the rows, `roots` the square roots of h over the probability.
    """
    total = 0.0
    for k in range(count):
        total += h[rows[k]]
    c = wanted / total
    for _ in range(3):
        expected = 0.0
        for k in range(count):
            expected += min(1.0, c * h[rows[k]])
        c *= wanted / expected
    taken = 0
    carry = 0.5
    for k in range(count):
        i = rows[k]
        carry += min(1.0, c * h[i])
        if carry >= 1.0:
            carry -= 1.0
            chosen[taken] = i
            roots[taken] = np.sqrt(max(h[i], 1.0 / c))
            taken += 1
    return taken


# h and the CG vectors hold no NaN where this is used, so `nnan` is safe; LLVM
# needs it to vectorise a maximum.
@njit(fastmath=LOOPS | {"nnan"}, error_model="numpy", cache=True)
def _largest(a):
    """The largest absolute value."""
    largest = 0.0
    for i in range(a.size):
        largest = max(largest, abs(a[i]))
    return largest


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def newton(
    X, A, exact_h, pass_cost, y, l2, intercept, tol, max_iter, careful,
    sparing, sample, direct, factored, w, b, V, R, Z, panel, C, L, scale,
    counts,
):
    """Minimise F from (w, b).

    Parameters
    ----------
    X : array of shape (n, p), C order, or `sparse_passes.Rows`
        The data of the gradients, float64 or float32.
    A : like X
        The data of the Hessian products: X itself or a float32 copy.
    exact_h : bool
        Whether A is X.
    pass_cost : float
        Seconds of a pass over A, by a model; only its ratio to the Gram
        matrix's counts.
    y : array of shape (n,), float64, -1 and +1
    l2 : float, > 0
    intercept : bool
    tol : float
        Certified relative gap.
    max_iter : int
    careful : bool
        Take all rows everywhere, and all gradients in float64.
    sparing : bool
        Leave rows of small curvature out of Hessian products.
    sample : int
        Rows of a sampled Gram matrix.
    direct : bool
        Precondition by a Cholesky factor, else by the diagonal.
    factored : bool
        Whether L and scale hold a factor from a similar problem.
    w : array of shape (p,), float64
        The start; becomes the solution.
    b : float
    V : array of shape (7, n), float64; R : array of shape (3, n), int64
    Z : array of shape (n + 2 p,), A's dtype
    panel, C, L : arrays, float32 or float64
        Of `weighted_gram` and `factorize`; empty where not `direct`.
    scale : array of shape (q,), float64
    counts : array of shape (4,), int64, added to
        Iterations, passes over the data, Gram matrices, products in CG.

    Returns
    -------
    b : float
    status : int
    gap, value : float
        The certified gap and F.
    """
    n, p = y.size, w.size
    q = p + 1 if intercept else p
    m, dm, s, h, r = V[0], V[1], V[2], V[3], V[4]
    products, roots = V[5], V[6]
    everything, chosen = R[0], R[2]
    for i in range(n):
        everything[i] = i
    scaled, v, Hv = Z[:n], Z[n:n + p], Z[n + p:n + 2 * p]
    g, d, res = np.empty(q), np.empty(q), np.empty(q)
    z, step, ridge = np.empty(q), np.empty(q), np.zeros(q)
    work = np.empty(q, L.dtype)
    data_grad = np.empty(p)
    ridge[:p] = l2
    gram_rate = GRAM32 if C.itemsize == 4 else GRAM64

    exact = True
    loss, grad_b = exact_gradient(
        X, y, everything, w, b, m, s, h, r, data_grad
    )
    counts[1] += 1
    norm = 0.0
    for j in range(p):
        norm += w[j] * w[j]
    if norm > 0.0 and not careful:
        # the length of a start is often wrong (a subset of the rows is
        # nearly separable): take the best multiple of it
        slope, bend = slope_along(m, m, 0.0)
        factor = 1.0 - (slope + l2 * norm) / (bend + l2 * norm)
        if factor > 1.02:
            factor = 1.0 + exact_step(m, m, l2 * norm, l2 * norm, 0.1)
        elif factor < 0.98:
            for i in range(n):
                dm[i] = -m[i]
            factor = 1.0 - exact_step(m, dm, -l2 * norm, l2 * norm, 0.1)
        if abs(factor - 1.0) > 0.02:
            for j in range(p):
                w[j] *= factor
            b *= factor
            loss, grad_b = exact_gradient(
                X, y, everything, w, b, m, s, h, r, data_grad
            )
            counts[1] += 1
    best, best_value, worse = np.inf, np.inf, 0
    have_factor, last_cg = factored, 0
    last_decrement = loss
    gap = np.inf
    status = ITERATION_LIMIT
    while True:
        gap = 0.0
        norm = 0.0
        for j in range(p):
            g[j] = data_grad[j] + l2 * w[j]
            gap += g[j] * g[j]
            norm += w[j] * w[j]
        gap /= 2.0 * l2
        value = loss + 0.5 * l2 * norm
        if intercept:
            g[p] = grad_b
        if not exact and gap <= 1e4 * tol * value + 1e-6 * value:
            loss, grad_b = exact_gradient(
                X, y, everything, w, b, m, s, h, r, data_grad
            )
            counts[1] += 1
            exact = True
            continue
        if exact and gap <= tol * value:
            if intercept:
                gap = balanced_gap(
                    X, y, everything, w, m, s, r, l2, data_grad
                )
                counts[1] += 1
            if gap <= tol * value:
                status = REACHED
                break
        # a stall: neither the gap nor the value falls. The gap of float32
        # gradients counts too, as an estimate.
        total = gap + (grad_b * grad_b if intercept else 0.0)
        if total < 0.5 * best or value < 0.99 * best_value:
            worse = 0
        else:
            worse += 1
            if worse == _PATIENCE:
                status = FLOAT64_LIMIT if careful else NEEDS_CARE
                break
        best = min(best, total)
        best_value = min(best_value, value)
        if counts[0] >= max_iter:
            break
        counts[0] += 1

        limit_h = _INACTIVE * _largest(h)
        n_active = n
        active = everything
        if sparing and not careful:
            active = R[1]
            n_active = 0
            for i in range(n):
                active[n_active] = i
                n_active += h[i] > limit_h

        if direct:
            taken = n_active if careful else min(n_active, sample)
            gram_cost = (
                taken * q * q / (2 * gram_rate) + q**3 / (6 * CHOLESKY)
            )
            if (
                careful or not have_factor
                or (last_cg - 1.5) * pass_cost > gram_cost
            ):
                if taken < 0.77 * n_active:
                    taken = _sample(
                        h, active, n_active, taken, roots, chosen
                    )
                else:
                    taken = n_active
                    for k in range(taken):
                        chosen[k] = active[k]
                        roots[k] = np.sqrt(h[active[k]])
                weighted_gram(
                    A, p, roots, chosen, taken, intercept, panel, C
                )
                have_factor = factorize(C, q, ridge, scale, L) >= 0.0
                counts[2] += 1
                if not have_factor:
                    status = NEEDS_CARE
                    break
        elif not have_factor or last_cg > 10:
            scale[:] = ridge
            add_squares(A, active, n_active, h, scale)
            if intercept:
                for k in range(n_active):
                    scale[p] += h[active[k]]
            counts[1] += 1
            have_factor = True
            for j in range(q):
                scale[j] = 1.0 / scale[j] if scale[j] > 0.0 else 0.0

        # conjugate gradients
        for j in range(q):
            d[j] = 0.0
            res[j] = -g[j]
        dm[:] = 0.0
        if direct:
            solve(L, scale, res, work, z)
        else:
            for j in range(q):
                z[j] = scale[j] * res[j]
        rz = 0.0
        for j in range(q):
            step[j] = z[j]
            rz += res[j] * z[j]
        decrement = 0.0
        # CG is as exact as the quadratic model is, no more; and no more than
        # the certificate still asks for
        forcing = min(0.1, max(
            0.5 * np.sqrt(min(last_decrement / value, 1.0)),
            0.1 * tol * value / max(gap, 1e-300),
        ))
        forcing = max(forcing, 1e-3)
        limit = 60 if direct else 500
        last_cg = limit
        for k in range(limit):
            size = _largest(step)
            if not size > 0.0:
                break
            for j in range(p):
                v[j] = step[j] / size
                Hv[j] = 0
            shift = step[p] / size if intercept else 0.0
            Hb = hessian_product(
                A, active, n_active, v, shift, h, Hv, products, scaled
            )
            counts[3] += 1
            curved = 0.0
            for j in range(p):
                z[j] = Hv[j] * size + l2 * step[j]
                curved += step[j] * z[j]
            if intercept:
                z[p] = Hb * size
                curved += step[p] * z[p]
            if not curved > 0.0:
                break
            a = rz / curved
            for j in range(q):
                d[j] += a * step[j]
                res[j] -= a * z[j]
            for k2 in range(n_active):
                i = active[k2]
                dm[i] += a * size * products[i]
            drop = 0.5 * a * rz
            decrement += drop
            if direct:
                solve(L, scale, res, work, z)
            else:
                for j in range(q):
                    z[j] = scale[j] * res[j]
            previous = rz
            rz = 0.0
            for j in range(q):
                rz += res[j] * z[j]
            if direct:
                # a is how much smaller H has become than the factor's
                done = 0.5 * rz * a <= forcing * decrement
            else:
                done = drop * (k + 1) <= forcing * decrement
            if done or not rz > 0.0:
                last_cg = k + 1
                break
            for j in range(q):
                step[j] = z[j] + rz / previous * step[j]
        if last_cg == limit and direct and not careful:
            status = NEEDS_CARE
            break
        if n_active < n:
            left = 0
            for i in range(n):
                chosen[left] = i
                left += not h[i] > limit_h
            for j in range(p):
                v[j] = d[j]
            products_only(
                A, chosen, left, v, d[p] if intercept else 0.0, products
            )
            for k in range(left):
                dm[chosen[k]] = products[chosen[k]]
        counts[1] += last_cg
        last_decrement = decrement

        linear = 0.0
        quadratic = 0.0
        slope = 0.0
        for j in range(p):
            linear += l2 * w[j] * d[j]
            quadratic += l2 * d[j] * d[j]
        for j in range(q):
            slope += g[j] * d[j]
        for i in range(n):
            dm[i] *= y[i]
        t = exact_step(m, dm, linear, quadratic, 0.1)
        if not t > 0.0:
            if exact and careful:
                status = FLOAT64_LIMIT
                break
            if not exact:
                loss, grad_b = exact_gradient(
                    X, y, everything, w, b, m, s, h, r, data_grad
                )
                counts[1] += 1
                exact = True
                continue
            status = NEEDS_CARE
            break
        for j in range(p):
            w[j] += t * d[j]
        if intercept:
            b += t * d[p]
        exact = (
            careful or exact_h
            or 0.5 * abs(slope) < 1e-4 * value
        )
        if exact:
            loss, grad_b = exact_gradient(
                X, y, everything, w, b, m, s, h, r, data_grad
            )
        else:
            for i in range(n):
                m[i] += t * dm[i]
            loss = loss_weights_curvature(m, s, h)
            grad_b = 0.0
            for i in range(n):
                value_i = -y[i] * s[i]
                scaled[i] = value_i
                grad_b += value_i
            Hv[:] = 0
            transposed_product(A, everything, scaled, Hv)
            for j in range(p):
                data_grad[j] = Hv[j]
        counts[1] += 1
    if status != REACHED:
        # report what can be certified where it stopped
        loss, grad_b = exact_gradient(
            X, y, everything, w, b, m, s, h, r, data_grad
        )
        gap = 0.0
        norm = 0.0
        for j in range(p):
            gap += (data_grad[j] + l2 * w[j]) ** 2 / (2.0 * l2)
            norm += w[j] * w[j]
        value = loss + 0.5 * l2 * norm
        if intercept:
            gap = balanced_gap(X, y, everything, w, m, s, r, l2, data_grad)
        counts[1] += 2
    return b, status, gap, value
