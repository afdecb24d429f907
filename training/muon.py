"""
Muon for the matrices inside the layers, AdamW for everything else.

Muon (Jordan et al. 2024) replaces the momentum of a weight matrix by the nearest semi-orthogonal
matrix, so that all directions learn at one speed. It reaches the same loss in clearly fewer steps
than AdamW, which is what counts on a slow machine.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Coefficients of the quintic iteration, one triple per step, the steepest first.
# Source: Amsel et al. 2025 (arXiv:2505.16932), algorithm 1, the first four of their list.
COEFFICIENTS = [
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
]


def orthogonalise(matrices: Tensor) -> Tensor:
    """
    Returns roughly U Vᵀ of M = U Σ Vᵀ, for a stack of matrices, [N, rows, columns].

    Each step maps M to a M + (b G + c G²) M with its Gram matrix G = M Mᵀ. The products are bfloat16,
    as in the reference: on a CPU that has it they take a third of the time.
    """
    is_tall = matrices.shape[1] > matrices.shape[2]
    m = matrices.transpose(1, 2) if is_tall else matrices
    m = (m / (m.norm(dim=(1, 2), keepdim=True) * 1.01 + 1e-7)).bfloat16().contiguous()
    for a, b, c in COEFFICIENTS:
        gram = m @ m.transpose(1, 2)
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        m = torch.baddbmm(m, factor, m, beta=a)
    m = m.float()
    return m.transpose(1, 2) if is_tall else m


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum; parameters of one shape are handled as one stack."""

    def __init__(self, parameters: list[nn.Parameter], lr: float = 0.02, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in by_shape.items():
                updates = []
                for parameter in parameters:
                    state = self.state[parameter]
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(parameter)
                    state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                    updates.append(parameter.grad.lerp(state["momentum"], group["momentum"]))
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, orthogonalise(torch.stack(updates)), strict=True):
                    parameter.add_(update, alpha=-scale)


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Returns the matrices for Muon, those inside stacks of layers, and the rest for AdamW; what is frozen is neither."""
    matrices, rest = [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_matrix = parameter.ndim == 2 and ".layers." in name and "modulator" not in name
        (matrices if is_matrix else rest).append(parameter)
    return matrices, rest
