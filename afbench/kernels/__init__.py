"""The mathematics that must be fast or exact, apart from the activations that use it.

Every operator is ``afbench::name`` in torch, with a plain formula and, where the library was compiled, kernels:
``units.py`` has five, ``rational.py`` and ``ditac.py`` one each. A name means the same in Python and in C++.
"""
