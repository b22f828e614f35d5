"""DeepLIFT on Torch's operation graph: rules by hand, SHAP's own values, blocks, layers, refusals, nothing left behind."""

from __future__ import annotations

import random
import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.graph import torch_walk
from dlexplain.frameworks.graph.torch_sets import log_mean
from dlexplain.frameworks.questions import Target


class Function(nn.Module):
    """A model without weights, for rules whose values are known by hand."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def shared(function, x, r):
    """What each entry of one sample adds to the function, against one reference."""
    model = dlx.wrap(Function(function))
    x, r = np.asarray([x], np.float32), np.asarray([r], np.float32)
    return model.contributions((x,), (r,), Target(np.zeros((1, 1), int)), 8)[0][0]


def column(value):
    return value.reshape(-1, 1)


BY_HAND = {
    # f, x, reference, what each entry adds
    "linear": (lambda x: column(2 * x[:, 0] - 3 * x[:, 1] + 5), [1, 2], [0, 1], [2, -3]),
    "relu below and above": (lambda x: torch.relu(x).sum(1, True), [3, -1, 2], [-1, -2, 1], [3, 0, 1]),
    "relu after a sum": (lambda x: torch.relu(x.sum(1, True)), [3, 1], [-1, -3], [2, 2]),
    "product": (lambda x: column(x[:, 0] * x[:, 1]), [2, 5], [1, 3], [4, 3]),
    "square as a product": (lambda x: column(x[:, 0] * x[:, 0] + 0 * x[:, 1]), [3, 1], [1, 1], [8, 0]),
    "quotient": (lambda x: column(x[:, 0] / x[:, 1]), [6, 2], [2, 4], [4 * 0.375, 4 * 0.25]),
    "power": (lambda x: column(x[:, 0] ** x[:, 1]), [2, 3], [1, 2], [(8 - 1 + 4 - 1) / 2, (8 - 4 + 0) / 2]),
    "larger of two": (lambda x: column(torch.maximum(x[:, 0], x[:, 1])), [4, 2], [0, 1], [2.5, 0.5]),
    "matrix product": (
        lambda x: column((x[:, :2].reshape(-1, 1, 2) @ x[:, 2:].reshape(-1, 2, 1)).flatten()),
        [1, 2, 3, 4],
        [0, 0, 1, 2],
        [2, 6, 1, 2],
    ),
    "maximum elsewhere": (lambda x: x.amax(1, True), [5, 1, 0], [1, 3, 0], [2, 0, 0]),
    "maximum falls": (lambda x: x.amax(1, True), [1, 3, 0], [5, 1, 0], [-2, 0, 0]),
    "minimum": (lambda x: x.amin(1, True), [-5, -1, 0], [-1, -3, 0], [-2, 0, 0]),
    "truth as a number": (lambda x: (x > 0).float().sum(1, True), [2, -1], [-1, -2], [1, 0]),
    # Shapley over condition, left and right; the condition is the first entry's alone.
    "choice": (
        lambda x: column(torch.where(x[:, 0] > 0, x[:, 1], x[:, 2])),
        [1, 5, 7],
        [-1, 2, 3],
        [(5 - 3) - 0.5 * 3 - 0.5 * 4, 1.5, 2],
    ),
    "rounding": (lambda x: torch.round(x).sum(1, True), [1.4, 2.6], [0.4, 2.2], [1, 1]),
    "same place, slope": (lambda x: torch.relu(x.sum(1, True)), [2, -1], [1, 0], [1, -1]),
    "detached": (lambda x: (x.detach() ** 2).sum(1, True), [3, 1], [1, 1], [8, 0]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_rule_by_hand(name):
    function, x, r, expected = BY_HAND[name]
    np.testing.assert_allclose(shared(function, x, r), expected, rtol=1e-6, atol=1e-6)


def test_softmax_by_the_logarithmic_mean():
    x, r = np.array([0.5, -1.0, 2.0]), np.array([-0.5, 0.3, 0.1])

    def softmax(v):
        return np.exp(v) / np.exp(v).sum()

    def mean(a, b):
        return a if a == b else (a - b) / (np.log(a) - np.log(b))

    y, yr = softmax(x), softmax(r)
    w = np.array([mean(a, b) for a, b in zip(np.exp(x), np.exp(r), strict=True)]) / mean(
        np.exp(x).sum(), np.exp(r).sum()
    )
    expected = mean(y[0], yr[0]) * (np.array([1, 0, 0]) - w) * (x - r)
    np.testing.assert_allclose(shared(lambda v: v.softmax(-1), x, r), expected, rtol=1e-5)
    log = shared(lambda v: v.log_softmax(-1), x, r)
    np.testing.assert_allclose(log, (np.array([1, 0, 0]) - w) * (x - r), rtol=1e-5)
    np.testing.assert_allclose(shared(lambda v: v.logsumexp(-1, True), x, r), w * (x - r), rtol=1e-5)
    assert abs(expected.sum() - (y[0] - yr[0])) < 1e-12


def test_logarithmic_mean_at_its_edges():
    logs = torch.tensor([0.0, 1e-9, -torch.inf, -torch.inf, 3.0], dtype=torch.float64)
    others = torch.tensor([0.0, 0.0, 0.0, -torch.inf, 1.0], dtype=torch.float64)
    found = log_mean(logs, others).numpy()
    np.testing.assert_allclose(found, [1, 1 + 5e-10, 0, 0, (np.e**3 - np.e) / 2], rtol=1e-12)


def test_masked_places_get_nothing():
    hidden = torch.tensor([0.0, -torch.inf, 0.0])
    found = shared(lambda x: (x + hidden).softmax(-1), [1, 2, 3], [0, 1, 0])
    assert found[1] == 0
    assert np.isfinite(found).all()


def _dense():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)), (6,)


def _convolution():
    parts = [nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(36, 3)), (2, 8, 8)


def _pooled():
    parts = [nn.Conv2d(2, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 2), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*parts, nn.Linear(16, 3)), (2, 8, 8)


@pytest.mark.parametrize("build", [_dense, _convolution, _pooled])
def test_equal_to_shap(build):
    shap = pytest.importorskip("shap", reason="the peer whose values are compared")
    torch.manual_seed(1)
    network, shape = build()
    generator = np.random.default_rng(0)
    x = generator.standard_normal((4, *shape)).astype(np.float32)
    r = generator.standard_normal((7, *shape)).astype(np.float32)
    ours = dlx.explain(network, x, "deepshap", target=1, baseline=r)
    theirs = shap.DeepExplainer(network.eval(), torch.tensor(r)).shap_values(torch.tensor(x), check_additivity=False)
    theirs = np.asarray(theirs)[..., 1]
    np.testing.assert_allclose(ours.values, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


class Mixed(nn.Module):
    """In place, reused, functional, recurrent, attended: a little of everything, and a head of several outputs."""

    def __init__(self):
        super().__init__()
        self.words, self.act = nn.Linear(3, 4), nn.ReLU(inplace=True)
        self.over, self.time = nn.MultiheadAttention(4, 2, batch_first=True), nn.GRU(4, 4, batch_first=True)
        self.norm, self.out = nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x):
        x = self.act(self.words(x))
        x = self.norm(x + self.over(x, x, x)[0])
        y = torch.zeros_like(x)
        y[:, 0] = x[:, 0]
        y[:, 1:] += self.time(x)[0][:, 1:]
        return torch.softmax(self.out(self.act(y).mean(1)), -1)


def _mixed(n=5, seed=0):
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    return Mixed(), generator.standard_normal((n, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_a_background_is_the_mean_over_its_references_whatever_the_blocks(rows):
    network, x = _mixed()
    r = np.random.default_rng(9).standard_normal((4, 6, 3)).astype(np.float32)
    model, target = dlx.wrap(network), Target(np.ones((5, 1), int))
    (together,) = model.contributions((x,), (r,), target, rows, background=True)
    apart = [model.contributions((x,), (one[None],), target, 64)[0] for one in r]
    np.testing.assert_allclose(together, np.mean(apart, 0), rtol=1e-4, atol=1e-7)
    (own,) = model.contributions((x,), (np.roll(x, 1, 0),), target, rows)
    one = model.contributions((x[2:3],), (x[1:2],), target.take(slice(2, 3)), 64)[0]
    np.testing.assert_allclose(own[2:3], one, rtol=1e-4, atol=1e-7)
    difference = model.outputs((x,))[0][:, 1] - model.outputs((np.roll(x, 1, 0),))[0][:, 1]
    np.testing.assert_allclose(own.sum((1, 2)), difference, rtol=1e-4, atol=1e-6)


JOINED = {
    "dense over time": lambda: nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Flatten(), nn.Linear(30, 2)),
    "time first": lambda: Taken(nn.GRU(3, 4)),
    "heads in the batch": lambda: Taken(nn.MultiheadAttention(3, 3)),
    "convolution": lambda: nn.Sequential(
        nn.Conv1d(6, 4, 2), nn.Hardtanh(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4, 2)
    ),
    "normalised": lambda: nn.Sequential(
        nn.GroupNorm(2, 6), nn.BatchNorm1d(6), nn.Softmax(1), nn.Flatten(), nn.Linear(18, 2)
    ),
}


class Taken(nn.Module):
    """A layer that takes time on the first axis."""

    def __init__(self, part):
        super().__init__()
        self.part, self.out = part, nn.LazyLinear(2)
        self(torch.zeros(2, 6, 3))

    def forward(self, x):
        x = x.transpose(0, 1)
        made = self.part(x, x, x) if isinstance(self.part, nn.MultiheadAttention) else self.part(x)
        return self.out(made[0].transpose(0, 1).flatten(1))


@pytest.mark.parametrize("layer", [None, "0"])
@pytest.mark.parametrize("name", JOINED)
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 7), (4, 1), (4, 4), (5, 7)])
def test_rows_run_once_are_paired_as_if_each_pair_ran(name, n, m, layer, monkeypatch):
    torch.manual_seed(2)
    model, generator = dlx.wrap(JOINED[name]()), np.random.default_rng(n)
    layer = "out" if layer and isinstance(model.raw, Taken) else layer
    x, r = (generator.standard_normal((k, 6, 3)).astype(np.float32) for k in (n, m))
    target = Target(generator.integers(0, 2, (n, 1)))
    with monkeypatch.context() as patch:
        patch.setattr(torch_walk.Asked, "_paired", lambda *_: pytest.fail("a pair was run in full"))
        (once,) = model.contributions((x,), (r,), target, 9, background=m > 1, layer=layer)
    with monkeypatch.context() as patch:
        patch.setattr(torch_walk, "crossed", _never)
        (each,) = model.contributions((x,), (r,), target, 9, background=m > 1, layer=layer)
    np.testing.assert_allclose(once, each, rtol=1e-4, atol=1e-5 * np.abs(each).max())


def test_a_layer_with_its_samples_elsewhere_is_refused():
    torch.manual_seed(2)
    model = dlx.wrap(Taken(nn.GRU(3, 4)))
    x = np.zeros((2, 6, 3), np.float32)
    with pytest.raises(InputError, match=r"layer 'part'.*first axis"):
        model.contributions((x + 1,), (x[:1],), Target(np.zeros((2, 1), int)), 9, layer="part")


def _never(*_):
    raise RuntimeError("rows are not brought together")


def test_no_block_is_larger_than_the_rows():
    network, x = _mixed()
    sizes = []
    network.words.register_forward_hook(lambda _m, i, _o: sizes.append(len(i[0])))
    model = dlx.wrap(network)
    model.contributions((x,), (np.zeros((6, 6, 3), np.float32),), Target(np.zeros((5, 1), int)), 7, background=True)
    assert max(sizes) <= 7


def test_a_layer_through_which_all_passes_accounts_for_all():
    network, x = _mixed()
    model, target = dlx.wrap(network), Target(np.ones((5, 1), int))
    r = np.zeros_like(x[:1])
    change = model.outputs((x,))[0][:, 1] - model.outputs((r,))[0][:, 1]
    for layer, shape in (
        ("words", (5, 6, 4)),
        ("act", (5, 6, 4)),
        ("act:2", (5, 6, 4)),
        ("norm", (5, 6, 4)),
        ("out", (5, 3)),
    ):
        (found,) = model.contributions((x,), (r,), target, 3, layer=layer)
        assert found.shape == shape
        np.testing.assert_allclose(found.reshape(5, -1).sum(1), change, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match=r"'act:3'.*not called"):
        model.contributions((x,), (r,), target, 3, layer="act:3")


class ByType(nn.Module):
    """A constant that goes by the type: in double precision it is another function."""

    def __init__(self, eps):
        super().__init__()
        self.eps, self.out = eps, nn.Linear(4, 2)

    def forward(self, x):
        eps = torch.finfo(x.dtype).eps if self.eps is None else self.eps
        return self.out(x / (x.square().mean(-1, keepdim=True) + eps).sqrt())


def test_a_walk_repeated_in_double_precision_explains_the_same_function(monkeypatch):
    torch.manual_seed(0)
    by_type, fixed = ByType(None), ByType(torch.finfo(torch.float32).eps)
    fixed.load_state_dict(by_type.state_dict())
    x, r = np.float32([[1, 2, 3, 4]]), np.zeros((1, 4), np.float32)
    monkeypatch.setattr(torch_walk, "_ROUGH", -1.0)  # every walk is repeated
    kept, repeated = (
        dlx.wrap(n).contributions((x,), (r,), Target(np.zeros((1, 1), int)), 8)[0] for n in (by_type, fixed)
    )
    np.testing.assert_allclose(kept, repeated, rtol=1e-3)
    plain = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    (found,) = dlx.wrap(plain).contributions((x,), (r,), Target(np.zeros((1, 1), int)), 8)
    plain.double()
    change = plain(torch.tensor(x).double()) - plain(torch.tensor(r).double())
    np.testing.assert_allclose(found.sum(), change[0, 0].item(), rtol=1e-12)


def test_memory_does_not_grow_with_the_background():
    network = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 2))
    model, target = dlx.wrap(network), Target(np.zeros((4, 1), int))
    x = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)

    def peak(m):
        r = np.random.default_rng(1).standard_normal((m, 64)).astype(np.float32)
        held = _Held()
        with held:
            model.contributions((x,), (r,), target, 16, background=True)
        return held.most

    assert peak(400) <= 1.1 * peak(60)


class _Held(torch.utils._python_dispatch.TorchDispatchMode):
    """The most bytes that tensors made meanwhile held at once."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        made = op(*args, **(kwargs or {}))
        for t in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(t, torch.Tensor) and not t._is_view():
                size = t.untyped_storage().nbytes()
                self.now += size
                self.most = max(self.most, self.now)
                weakref.finalize(t, self._freed, size)
        return made

    def _freed(self, size):
        self.now -= size


def test_a_sample_keeps_its_padding_on_the_reference():
    torch.manual_seed(0)

    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.out = nn.Embedding(9, 4, padding_idx=0), nn.Linear(4, 2)

        def forward(self, ids):
            shown = (ids != 0).float()[..., None]
            return self.out((self.words(ids).tanh() * shown).sum(1) / shown.sum(1))

    ids = np.array([[3, 4, 0, 0], [5, 1, 2, 7]])
    explained = dlx.explain(Words(), ids, "deeplift", target=1, baseline=np.array([8, 8, 8, 8]))
    assert explained.values.shape == ids.shape
    assert (explained.values[0, 2:] == 0).all()
    assert explained.relative_gap.max() < 1e-4


REFUSED = {
    "topk": (lambda x: (x * torch.tensor([1.0, 1, -1, -1])).topk(2).values, "topk"),
    "determinant": (lambda x: column(torch.linalg.det(x.reshape(-1, 2, 2))), "det"),
    "a way that differs": (lambda x: x * 2 if float(x.detach().sum()) > 0 else x * 3 + 1, "item"),
    "chance": (lambda x: x + torch.rand_like(x), "rand_like"),
    "through NumPy": (lambda x: torch.from_numpy(np.tanh(x.detach().numpy())), "output.*does not come from the inputs"),
    "partly through NumPy": (lambda x: x * torch.from_numpy(np.tanh(x.detach().numpy())), "mul.*does not record"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_rule_is_refused_by_name(name):
    function, operation = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=f"Operation [a-z_]*{operation}.*integrated_gradients"):
        shared(function, [4, 3, 2, 1], [-1, -2, -3, -5])


def test_a_refusal_names_the_layer():
    class Part(nn.Module):
        def forward(self, x):
            return x.sort(-1).values

    network = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), Part()), nn.Linear(4, 2))
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    with pytest.raises(UnsupportedModelError, match=r"Operation sort in layer '1\.1'"):
        dlx.explain(network, x, "deeplift", target=0)


def _state(network):
    return (
        [(m.training, dict(m._forward_hooks), dict(m._forward_pre_hooks), set(m.__dict__)) for m in network.modules()],
        [(p.requires_grad, p.grad, p.detach().clone()) for p in network.parameters()],
        torch.is_grad_enabled(),
        torch.get_rng_state(),
        random.getstate(),
        torch.backends.mkldnn.flags.__module__
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled,
        len(torch.utils._python_dispatch._get_current_dispatch_mode_stack()),
    )


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(fails):
    network, x = _mixed()
    network.train()
    network.over.eval()
    network.out.weight.requires_grad_(False)
    if fails:
        network.norm = Function(lambda v: v.sort(-1).values)
    before = _state(network)
    if fails:
        with pytest.raises(UnsupportedModelError, match="sort in layer 'norm'"):
            dlx.explain(network, x, "deeplift", target=0)
    else:
        dlx.explain(network, x, "deeplift", target=0)
    after = _state(network)
    assert before[0] == after[0]
    for (need, grad, value), (need_after, grad_after, value_after) in zip(before[1], after[1], strict=True):
        assert (need, grad) == (need_after, grad_after)
        assert torch.equal(value, value_after)
    assert before[2] == after[2]
    assert torch.equal(before[3], after[3])
    assert before[4:] == after[4:]


def test_two_threads_explain_and_train_at_once():
    networks = [_mixed(seed=s) for s in range(2)]
    alone = [dlx.explain(n, x, "deeplift", target=0).values for n, x in networks]
    found: dict[int, list[np.ndarray]] = {0: [], 1: []}

    def run(i):
        network, x = networks[i]
        for _ in range(4):
            found[i].append(dlx.explain(network, x, "deeplift", target=0).values)

    trained = nn.Linear(3, 1)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        trained(torch.ones(2, 3)).sum().backward()
    for thread in threads:
        thread.join()
    assert torch.equal(trained.bias.grad, torch.tensor([100.0]))
    for i in range(2):
        assert len(found[i]) == 4
        for values in found[i]:
            np.testing.assert_allclose(values, alone[i], rtol=1e-5, atol=1e-7)
