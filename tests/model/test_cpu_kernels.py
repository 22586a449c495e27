import pytest
import torch
from torch.nn.functional import relu, scaled_dot_product_attention

from sjepa_online.model import cpu_kernels


def _inputs(*shape: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(3)
    ]


@pytest.mark.parametrize("padded", [False, True])
def test_attention_and_its_gradient_equal_those_of_torch(padded: bool) -> None:
    query, key, value = _inputs(2, 4, 10, 8)
    padding = torch.zeros(2, 10, dtype=torch.bool)
    padding[1, 7:] = True
    ours = cpu_kernels.attend(query, key, value, padding if padded else None, 0.0)
    mask = ~padding[:, None, None, :] if padded else None
    torchs = scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(ours, torchs)
    weights = torch.randn(ours.shape, dtype=torch.float64)
    ours_gradients = torch.autograd.grad((ours * weights).sum(), (query, key, value))
    torchs_gradients = torch.autograd.grad((torchs * weights).sum(), (query, key, value))
    for our_gradient, torchs_gradient in zip(ours_gradients, torchs_gradients, strict=True):
        torch.testing.assert_close(our_gradient, torchs_gradient)


def test_gradient_of_attention_with_dropout_is_the_numerical_one() -> None:
    query, key, value = _inputs(1, 2, 5, 4)

    def attend(*inputs: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return cpu_kernels.attend(*inputs, None, 0.3)

    assert torch.autograd.gradcheck(attend, (query, key, value))


def test_gradient_of_relu_with_dropout_is_the_numerical_one() -> None:
    x = _inputs(4, 6)[0]

    def apply(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return cpu_kernels.relu_dropout(x.clone(), 0.3)

    assert torch.autograd.gradcheck(apply, (x,))


@pytest.mark.parametrize("dropout", [0.1, 0.5])
def test_dropout_drops_the_asked_share_independently_and_keeps_the_mean(dropout: float) -> None:
    torch.manual_seed(0)
    dropped = cpu_kernels.drop(torch.ones(1000, 1000), dropout)
    zeros = (dropped == 0).float()
    assert zeros.mean() == pytest.approx(dropout, abs=1 / 256)
    assert dropped.mean() == pytest.approx(1.0, abs=0.005)
    # every byte of the 8 that a random word gives behaves alike, and neighbours differ freely
    by_byte = zeros.view(-1, 8)
    torch.testing.assert_close(by_byte.mean(0), torch.full((8,), dropout), atol=0.005, rtol=0)
    correlations = torch.corrcoef(by_byte.T) - torch.eye(8)
    assert correlations.abs().max() < 0.02


def test_dropout_follows_torchs_seed() -> None:
    x = torch.ones(64, 64)
    torch.manual_seed(5)
    first, second = cpu_kernels.drop(x, 0.1), cpu_kernels.drop(x, 0.1)
    torch.manual_seed(5)
    assert torch.equal(cpu_kernels.drop(x, 0.1), first)
    assert not torch.equal(first, second)


def test_relu_dropout_without_dropout_is_relu() -> None:
    x = torch.randn(8, 8)
    assert torch.equal(cpu_kernels.relu_dropout(x.clone(), 0.0), relu(x))
