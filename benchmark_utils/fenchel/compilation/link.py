"""Code of functions that is linked once, and optimised as a whole."""
import contextlib

import llvmlite.binding as llvm
from numba.core import codegen


class Part(codegen.JITCodeLibrary):
    """LLVM's code of a function that only compiled code calls."""

    def _ensure_finalized(self):
        """Emit nothing: callers take the code."""

    def add_llvm_module(self, ll_module):
        """Take a module without the optimisation of each function."""
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def parts(self, seen):
        """Collect the libraries that this one calls, in order."""
        for library in self._linking_libraries:
            if library not in seen:
                seen[library] = None
                if isinstance(library, Part):
                    library.parts(seen)
        return seen

    def _get_module_for_linking(self):
        """Return the module with all that it calls, for foreign callers."""
        if self._shared_module is None:
            module = self._final_module.clone()
            _link(module, self.parts({}))
            for name in _defined(module):
                module.get_function(name).linkage = "linkonce_odr"
            self._shared_module = module
        return self._shared_module


def _link(module, libraries):
    """Link what a module calls, each once.

    LLVM leaves out a function that may be there twice as long as nothing in
    the module calls it: so all are unique at first, but for helpers that
    numba writes into each module, and libraries of numba's own kind come
    last.
    """
    shared = set()
    last = [one for one in libraries if not isinstance(one, Part)]
    for library in [one for one in libraries if one not in last] + last:
        if isinstance(library, Part):
            for name in _defined(library._final_module):
                if name in shared:
                    function = library._final_module.get_function(name)
                    function.linkage = "linkonce_odr"
                shared.add(name)
            module.link_in(library._final_module, preserve=True)
        else:
            module.link_in(library._get_module_for_linking(), preserve=True)
    for name in shared:
        module.get_function(name).linkage = "linkonce_odr"
    missing = [
        function.name for function in module.functions
        if function.is_declaration and function.name.startswith("_ZN")
    ]
    if missing:
        raise RuntimeError(f"not linked: {missing}")


def _defined(module):
    return [
        function.name for function in module.functions
        if not function.is_declaration
        and function.linkage == llvm.Linkage.external
    ]


@contextlib.contextmanager
def _unreduced():
    """Leave out the reduction of strength in loops.

    It takes three quarters of the time for machine code, and makes it no
    faster. Older LLVM complains where an option is set twice.
    """
    if llvm.llvm_version_info < (20,):
        yield
        return
    llvm.set_option("", "-disable-lsr=true")
    try:
        yield
    finally:
        llvm.set_option("", "-disable-lsr=false")


class Whole(codegen.JITCodeLibrary):
    """Machine code of a function that Python calls."""

    add_llvm_module = Part.add_llvm_module
    parts = Part.parts
    #: whether its vectors are written by hand
    by_hand = False

    def _optimize_final_module(self):
        """Optimise, once and without a search for vectors if by hand."""
        if not self.by_hand:
            super()._optimize_final_module()
            return
        made = self._codegen._module_pass_manager(
            loop_vectorize=False, slp_vectorize=False, opt=1
        )
        # numba 0.60 has no builder of passes
        passes, *builder = made if isinstance(made, tuple) else (made,)
        passes.run(self._final_module, *builder)

    def finalize(self):
        """Link each part once, then optimise and emit as numba does."""
        libraries = self.parts({})
        for library in libraries:
            # numba 0.60 has none
            for start in getattr(library, "_reload_init", ()):
                self._reload_init.add(start)
        _link(self._final_module, libraries)
        self._linking_libraries = []
        with _unreduced():
            super().finalize()
