"""Torch: recurrent networks, and text by convolution."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.zoo.torch_specimens import Of, torch_specimen


def _recurrent(layer, width):
    return lambda: Of(lambda m, x: m.out(m.mix(x)[0][:, -1]), mix=layer(), out=nn.Linear(width, 3))


_LAYERS = {
    "LSTM": (lambda: nn.LSTM(3, 5, batch_first=True), 5),
    "GRU": (lambda: nn.GRU(3, 5, batch_first=True), 5),
    "SimpleRNN": (lambda: nn.RNN(3, 5, batch_first=True), 5),
    "SimpleRNN, relu": (lambda: nn.RNN(3, 5, nonlinearity="relu", batch_first=True), 5),
    "bidirectional LSTM": (lambda: nn.LSTM(3, 4, batch_first=True, bidirectional=True), 8),
    "projected LSTM": (lambda: nn.LSTM(3, 6, proj_size=4, batch_first=True), 4),
    "stacked GRU": (lambda: nn.GRU(3, 5, num_layers=2, dropout=0.3, batch_first=True), 5),
}
for _name, (_layer, _width) in _LAYERS.items():
    torch_specimen(_name, (8, 3))(_recurrent(_layer, _width))


@torch_specimen("LSTM, time first", (8, 3))
def time_first():
    return Of(lambda m, x: m.out(m.mix(x.transpose(0, 1))[0][-1]), mix=nn.LSTM(3, 5), out=nn.Linear(5, 3))


@torch_specimen("LSTM, last state", (8, 3))
def last_state():
    def forward(m, x):
        _, (hidden, cell) = m.mix(x)
        return m.out(torch.cat([hidden[-1], cell[-1]], -1))

    return Of(forward, mix=nn.LSTM(3, 5, num_layers=2, batch_first=True), out=nn.Linear(10, 3))


@torch_specimen("LSTM, every step", (6, 3), target=(4, 1))
def every_step():
    return Of(lambda m, x: m.out(m.mix(x)[0]), mix=nn.LSTM(3, 4, batch_first=True), out=nn.Linear(4, 2))


@torch_specimen("loop of cells", (8, 3))
def cells():
    def forward(m, x):
        hidden = cell = x.new_zeros(len(x), 4)
        second = x.new_zeros(len(x), 5)
        for step in x.unbind(1):
            hidden, cell = m.one(step, (hidden, cell))
            second = m.two(hidden, second)
        return m.out(second)

    return Of(forward, one=nn.LSTMCell(3, 4), two=nn.GRUCell(4, 5), out=nn.Linear(5, 3))


@torch_specimen("stacked bidirectional GRU and LSTM", (8, 3))
def stacked():
    return Of(
        lambda m, x: m.out(m.two(m.one(x)[0])[0][:, -1]),
        one=nn.GRU(3, 4, batch_first=True, bidirectional=True),
        two=nn.LSTM(8, 5, batch_first=True),
        out=nn.Linear(5, 3),
    )


@torch_specimen("ConvLSTM", (4, 1, 5, 5))
def conv_lstm():
    def forward(m, x):
        hidden = cell = x.new_zeros(len(x), 2, 5, 5)
        for frame in x.unbind(1):
            i, f, o, g = m.gates(torch.cat([frame, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
        return m.out(hidden.flatten(1))

    return Of(forward, gates=nn.Conv2d(3, 8, 3, padding=1), out=nn.Linear(50, 3))


@torch_specimen("convolution and GRU", (3, 16))
def conv_gru():
    def forward(m, x):
        x = F.avg_pool1d(torch.relu(m.conv(x)), 2).transpose(1, 2)
        return torch.softmax(m.out(m.mix(x)[0][:, -1]), -1)

    return Of(forward, conv=nn.Conv1d(3, 4, 3), mix=nn.GRU(4, 5, batch_first=True), out=nn.Linear(5, 3))


@torch_specimen("convolutions on frames, LSTM", (4, 1, 6, 6))
def frames():
    def forward(m, x):
        maps = torch.relu(m.conv(x.flatten(0, 1))).amax((2, 3)).unflatten(0, (len(x), 4))
        return m.out(m.mix(maps)[0][:, -1])

    return Of(forward, conv=nn.Conv2d(1, 3, 3), mix=nn.LSTM(3, 4, batch_first=True), out=nn.Linear(4, 3))


@torch_specimen("encoder-decoder of GRUs", (6, 2), target=(1, 0))
def encoder_decoder():
    def forward(m, x):
        code = m.one(x)[1][-1]
        return m.out(m.two(code[:, None].expand(-1, 3, -1))[0])

    return Of(forward, one=nn.GRU(2, 4, batch_first=True), two=nn.GRU(4, 4, batch_first=True), out=nn.Linear(4, 2))


@torch_specimen("embedding, convolution, max over time", (8,), vocabulary=12)
def text_convolution():
    def forward(m, ids):
        words = m.words(ids).transpose(1, 2)
        return m.out(torch.cat([torch.relu(conv(words)).amax(-1) for conv in m.convs], -1))

    convs = nn.ModuleList(nn.Conv1d(4, 3, size) for size in (2, 3))
    return Of(forward, words=nn.Embedding(12, 4), convs=convs, out=nn.Linear(6, 3))


@torch_specimen("embedding, bag of words", (8,), vocabulary=12)
def bag_of_words():
    return Of(lambda m, ids: m.out(m.words(ids).mean(1)), words=nn.Embedding(12, 4), out=nn.Linear(4, 3))


@torch_specimen("embedding bag", (8,), vocabulary=12)
def embedding_bag():
    return nn.Sequential(nn.EmbeddingBag(12, 4, mode="mean"), nn.ReLU(), nn.Linear(4, 3))


@torch_specimen("embedding, masked LSTM", (8,), vocabulary=12, padded=3)
def text_lstm():
    def forward(m, ids):
        steps, kept = m.mix(m.words(ids))[0], (ids != 0).float()[..., None]
        return m.out((steps * kept).sum(1) / kept.sum(1).clamp(min=1))

    words = nn.Embedding(12, 4, padding_idx=0)
    return Of(forward, words=words, mix=nn.LSTM(4, 5, batch_first=True), out=nn.Linear(5, 3))


@torch_specimen("embedding, bidirectional GRU", (8,), vocabulary=12)
def text_gru():
    mix = nn.GRU(4, 4, batch_first=True, bidirectional=True)
    return Of(
        lambda m, ids: m.out(m.mix(m.words(ids))[0][:, -1]), words=nn.Embedding(12, 4), mix=mix, out=nn.Linear(8, 3)
    )


@torch_specimen("two towers of ids", (5,), (5,), vocabulary=12, target=None)
def id_towers():
    def forward(m, a, b):
        return F.cosine_similarity(m.left(m.words(a).mean(1)), m.right(m.words(b).mean(1)))

    return Of(forward, words=nn.Embedding(12, 4), left=nn.Linear(4, 4), right=nn.Linear(4, 4))


@torch_specimen("state space (linear recurrence)", (8, 2))
def state_space():
    def forward(m, x):
        drive, keep = m.drive(x), torch.tensor([0.9, 0.7, 0.5, 0.2])
        state = drive[:, 0]
        for step in range(1, 8):
            state = keep * state + drive[:, step]
        return m.out(state * F.silu(m.gate(x[:, -1])))

    return Of(forward, drive=nn.Linear(2, 4), gate=nn.Linear(2, 4), out=nn.Linear(4, 3))
