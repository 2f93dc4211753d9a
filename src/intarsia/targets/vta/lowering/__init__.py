"""From an embedding in ``vta.gemm`` to a program: tiles, DMA, micro-operations, tokens, epilogue, memory image."""
