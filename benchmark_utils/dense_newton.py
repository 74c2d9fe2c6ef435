r"""Newton's method for dense data, directions by preconditioned CG.

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
from benchmark_utils.dense_passes import (
    exact_gradient,
    hessian_product,
    products_only,
    transposed_product,
)
from benchmark_utils.gram_kernel import weighted_gram
from benchmark_utils.tiny_newton import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
)
from benchmark_utils.vector_math import exact_step, loss_weights_curvature

# CG made no progress, or the search found no descent: the caller tries again
# with float64 products and all rows
NEEDS_CARE = 3
# Rows whose curvature is below this share of the largest are left out of H;
# on Gaussian data 60 to 85 % of the rows near the optimum
_INACTIVE = 0.003
# Throughput by which work is compared (only ratios matter): a fused pass in
# bytes, the Gram kernel and Cholesky in multiply-adds a second
_PASS, _GRAM32, _GRAM64, _CHOLESKY = 2.5e10, 9e10, 4.5e10, 1.5e10


@njit(error_model="numpy", cache=True)
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


@njit(error_model="numpy", cache=True)
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


@njit(error_model="numpy", cache=True)
def _diagonal(A, rows, count, h, intercept, ridge, out):
    """The diagonal of H, one pass."""
    p = A.shape[1]
    out[:] = ridge
    for k in range(count):
        row = A[rows[k]]
        weight = h[rows[k]]
        for j in range(p):
            out[j] += weight * row[j] * row[j]
        if intercept:
            out[p] += weight


@njit(error_model="numpy", cache=True)
def newton(
    X, A, y, l2, intercept, tol, max_iter, careful, sample, direct, w, b, V,
    R, panel, C, L, counts,
):
    """Minimise F from (w, b).

    Parameters
    ----------
    X : array of shape (n, p), C order, float64 or float32
        The data of the gradients.
    A : array of shape (n, p), C order
        The data of the Hessian products: X itself or a float32 copy.
    y : array of shape (n,), float64, -1 and +1
    l2 : float, > 0
    intercept : bool
    tol : float
        Certified relative gap.
    max_iter : int
    careful : bool
        Take all rows everywhere, and all gradients in float64.
    sample : int
        Rows of a sampled Gram matrix.
    direct : bool
        Precondition by a Cholesky factor, else by the diagonal.
    w : array of shape (p,), float64
        The start; becomes the solution.
    b : float
    V : array of shape (7, n), float64; R : array of shape (3, n), int64
    panel, C, L : arrays, float32 or float64
        Of `weighted_gram` and `factorize`; empty where not `direct`.
    counts : array of shape (4,), int64, added to
        Iterations, passes over the data, Gram matrices, products in CG.

    Returns
    -------
    b : float
    status : int
    gap, value : float
        The certified gap and F.
    """
    n, p = X.shape
    q = p + 1 if intercept else p
    m, dm, s, h, r = V[0], V[1], V[2], V[3], V[4]
    products, roots = V[5], V[6]
    everything, active, chosen = R[0], R[1], R[2]
    for i in range(n):
        everything[i] = i
    exact_h = A.itemsize == X.itemsize
    scaled = np.empty(n, A.dtype)
    v, Hv = np.empty(p, A.dtype), np.empty(p, A.dtype)
    g, d, res = np.empty(q), np.empty(q), np.empty(q)
    z, step, ridge = np.empty(q), np.empty(q), np.zeros(q)
    scale, work = np.empty(q), np.empty(q, L.dtype)
    data_grad = np.empty(p)
    ridge[:p] = l2
    gram_rate = _GRAM32 if C.itemsize == 4 else _GRAM64
    pass_cost = n * p * A.itemsize / _PASS

    exact = True
    loss, grad_b = exact_gradient(
        X, y, everything, w, b, m, s, h, r, data_grad
    )
    counts[1] += 1
    best, worse = np.inf, 0
    fresh, have_factor, last_cg = False, False, 0
    gap = np.inf
    value = np.inf
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
        if exact:
            total = gap + (grad_b * grad_b if intercept else 0.0)
            if total < 0.5 * best:
                best, worse = total, 0
            else:
                worse += 1
                if worse == (8 if careful else 4) and counts[0] > 12:
                    status = FLOAT64_LIMIT if careful else NEEDS_CARE
                    break
        if counts[0] >= max_iter:
            break
        counts[0] += 1

        largest = 0.0
        for i in range(n):
            largest = max(largest, h[i])
        n_active = 0
        if careful:
            n_active = n
            active[:] = everything
        else:
            for i in range(n):
                if h[i] > _INACTIVE * largest:
                    active[n_active] = i
                    n_active += 1

        fresh = False
        if direct:
            taken = n_active if careful else min(n_active, sample)
            gram_cost = (
                taken * q * q / (2 * gram_rate) + q**3 / (6 * _CHOLESKY)
            )
            if not have_factor or (last_cg - 1.5) * pass_cost > gram_cost:
                if taken < 0.77 * n_active:
                    taken = _sample(
                        h, active, n_active, taken, roots, chosen
                    )
                else:
                    taken = n_active
                    for k in range(taken):
                        chosen[k] = active[k]
                        roots[k] = np.sqrt(h[active[k]])
                weighted_gram(A, roots, chosen, taken, intercept, panel, C)
                have_factor = factorize(C, q, ridge, scale, L) >= 0.0
                fresh = True
                counts[2] += 1
                if not have_factor:
                    status = NEEDS_CARE
                    break
        else:
            _diagonal(A, active, n_active, h, intercept, ridge, scale)
            counts[1] += 1
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
        # what the certificate still asks for, or the square root rule
        forcing = min(0.1, max(
            0.5 * np.sqrt(min(0.5 * rz / value, 1.0)),
            0.1 * tol * value / max(gap, 1e-300),
        ))
        forcing = max(forcing, 1e-3)
        limit = 60 if direct else 500
        last_cg = limit
        for k in range(limit):
            size = 0.0
            for j in range(q):
                size = max(size, abs(step[j]))
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
                done = 0.5 * rz <= forcing * decrement
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
                if not h[i] > _INACTIVE * largest:
                    chosen[left] = i
                    left += 1
            for j in range(p):
                v[j] = d[j]
            products_only(
                A, chosen, left, v, d[p] if intercept else 0.0, products
            )
            for k in range(left):
                dm[chosen[k]] = products[chosen[k]]
        counts[1] += last_cg

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
