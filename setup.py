"""What pyproject.toml cannot say: the compiled kernels, an optional shared library that no Python or torch is tied to.

``python setup.py build_ext --inplace`` builds it into the source tree, and ``--sanitize`` with the address and
undefined-behaviour sanitizers. Without a compiler the install succeeds, and the plain PyTorch path runs.
"""

from __future__ import annotations

import os
import platform
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

NATIVE = Path("afbench", "kernels", "native")
# What has no loop over elements; everything else is compiled once per instruction set, and knows no exceptions.
ONCE = [(NATIVE / f"{name}.cpp").as_posix() for name in ("library", "pieces", "pointwise")]
INTERFACE = re.findall(r"^INTERFACE = (\d+)$", (NATIVE.parent / "library.py").read_text(), re.MULTILINE)[0]
X86 = {
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma", "-mprefer-vector-width=512"],
    "avx2": ["-mavx2", "-mfma"],
}
FLAGS = (
    "-std=c++17 -O3 -g0 -fPIC -fvisibility=hidden -fno-rtti -fno-math-errno -fno-trapping-math "
    "-ffp-contract=fast -fno-tree-vectorize -Wall -Wextra -Wno-psabi"
).split()
LESS = ["-O2"]
SANITIZE = "-g1 -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer".split()


class BuildKernels(build_ext):
    """Compile every unit for each instruction set, and link all into one library."""

    user_options: ClassVar[list] = [*build_ext.user_options, ("sanitize", None, "build with sanitizers")]
    boolean_options: ClassVar[list] = [*build_ext.boolean_options, "sanitize"]

    def initialize_options(self) -> None:
        super().initialize_options()
        self.sanitize = False

    def get_ext_filename(self, fullname: str) -> str:
        """Name it without Python's version: ctypes loads it, so any Python will do."""
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extension(self, ext: Extension) -> None:
        if self.compiler.compiler_type != "unix":
            raise CompileError("the kernels need GCC or Clang")
        x86 = platform.machine().lower() in ("x86_64", "amd64")
        # Where there are better sets, the baseline is for the few processors without; -O3 is for the loops.
        instructions = {"baseline": LESS, **X86} if x86 else {"baseline": []}
        jobs = [("once", source, LESS) for source in ONCE]
        jobs += [
            (isa, s, [*flags, "-fno-exceptions"])
            for s in ext.sources
            if s not in ONCE
            for isa, flags in instructions.items()
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [o for compiled in pool.map(lambda job: self.compile(ext, *job), jobs) for o in compiled]
        flags = list(SANITIZE) if self.sanitize else []
        # A symbol that nothing defines is then an error of the build, not of the first call; a sanitizer's are
        # defined by its runtime alone, and other systems' linkers have other options or none.
        if platform.system() == "Linux" and not self.sanitize:
            flags.append("-Wl,-z,defs")
        self.compiler.link_shared_object(
            objects, self.get_ext_fullpath(ext.name), extra_preargs=flags, target_lang="c++"
        )

    def compile(self, ext: Extension, isa: str, source: str, flags: list[str]) -> list[str]:
        """Compile one unit for one instruction set; a compiler that does not know the set leaves it out."""
        try:
            return self.compiler.compile(
                [source],
                output_dir=os.path.join(self.build_temp, isa),
                macros=[("AFBENCH_ISA", isa), (f"AFBENCH_{isa.upper()}", "1"), ("AFBENCH_INTERFACE", INTERFACE)],
                extra_postargs=[*FLAGS, *flags, *(SANITIZE if self.sanitize else [])],
                depends=ext.depends,
            )
        except CompileError:
            if isa not in X86:
                raise
            return []


class AnyPython(bdist_wheel):
    """Tag the wheel with the platform alone."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "afbench.kernels._native",
            sorted(path.as_posix() for path in NATIVE.glob("*.cpp")),
            depends=sorted(path.as_posix() for path in NATIVE.glob("*.h")),
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": AnyPython},
)
