from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings
from benchmark_utils.wiring.threads import N_THREADS

with Library("pip install torch") as needs:
    import torch
    from torch.nn.functional import logsigmoid


class Solver(LogisticSolver):
    """PyTorch's L-BFGS with its strong Wolfe line search, in float64.

    It minimizes F / n, whose gradient PyTorch differentiates; ten pairs. On
    the CPU, or on an NVIDIA GPU (``cuda``).

    Timed: one `step` of at most ``n_iter`` iterations, on data that are on
    the device already, with tolerances of zero; the coefficients come back
    to the host.
    """

    name = "torch"
    requirements = ["pip::torch"]
    needs = needs
    parameters = {"device": ["cpu", "cuda"]}
    choices = {"device": ("cpu", "cuda")}
    sampling_strategy = "iteration"
    references = [
        "A. Paszke et al., PyTorch: an imperative style, high-performance "
        "deep learning library, NeurIPS 2019, arXiv:1912.01703",
        "D. C. Liu and J. Nocedal, On the limited memory BFGS method for "
        "large scale optimization, Math. Program. 45, 1989, "
        "doi:10.1007/BF01589116",
    ]

    language = "Python, C++"
    penalties = ("l2",)
    why_not = {
        "l1": "L-BFGS needs a smooth objective",
        "elasticnet": "L-BFGS needs a smooth objective",
    }

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if self.device == "cuda" and not torch.cuda.is_available():
            return True, "torch finds no GPU with CUDA on this machine."
        return False, None

    def prepare(self):
        torch.set_num_threads(N_THREADS)
        if sparse.issparse(self.X):
            # it says that it is in beta state
            with ignore_warnings(UserWarning):
                A = torch.sparse_csr_tensor(
                    self.X.indptr, self.X.indices, self.X.data, self.X.shape,
                    check_invariants=False,
                )
        else:
            # a copy, for torch warns about data that are read-only
            A = torch.tensor(self.X)
        self.data = A.to(self.device), torch.tensor(self.y).to(self.device)

    def solve(self, n_iter):
        A, y = self.data
        w, b = (
            torch.zeros(
                size, dtype=torch.float64, device=self.device,
                requires_grad=True,
            )
            for size in (A.shape[1], 1)
        )
        optimizer = torch.optim.LBFGS(
            [w, b] if self.fit_intercept else [w],
            max_iter=n_iter, max_eval=10**9, tolerance_grad=0.0,
            tolerance_change=0.0, history_size=10,
            line_search_fn="strong_wolfe",
        )

        def closure():
            optimizer.zero_grad()
            # softplus is linear from 20 on, an error of 2e-9 a sample
            loss = -logsigmoid(y * (A @ w + b)).sum()
            value = (loss + 0.5 * self.lmbd2 * w @ w) / len(y)
            value.backward()
            return value

        optimizer.step(closure)
        self.coef = w.detach().cpu().numpy().copy()
        if self.fit_intercept:
            self.intercept = float(b)
