"""Writes src/models/networks/parity.json: small networks as PyTorch calculates them, in double precision.

    python3 -m venv venv && venv/bin/pip install torch numpy && venv/bin/python scripts/networks-parity.py

Weights are in the order and the shapes of PyTorch. The second bias of each gate, which adds nothing to the first, is held at nought, except that of
the new state of a GRU, which stands inside the reset gate.
"""

import json
import math
import pathlib

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
COLUMNS, UNITS, STEPS, WINDOWS, LATENT = 3, 8, 5, 10, 4
CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def recurrent(cell, inputs):
    layer = CELLS[cell](inputs, UNITS, batch_first=True)
    bias = layer.bias_hh_l0
    with torch.no_grad():
        bias[: 2 * UNITS if cell == "gru" else None] = 0
    keep = torch.zeros_like(bias)
    if cell == "gru":
        keep[2 * UNITS :] = 1
    bias.register_hook(lambda gradient: gradient * keep)
    return layer


def last(layer, x):
    return layer(x)[0][:, -1]


def repeated(code):
    return code.unsqueeze(1).expand(-1, STEPS, -1)


class Autoencoder(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.encoder = recurrent(cell, COLUMNS)
        self.decoder = recurrent(cell, UNITS)
        self.output = torch.nn.Linear(UNITS, COLUMNS)

    def forward(self, x, known):
        out = self.output(self.decoder(repeated(last(self.encoder, x)))[0])
        return out, ((out - x) ** 2 * known).sum() / known.sum()


class Forecaster(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.layer = recurrent(cell, COLUMNS)
        self.output = torch.nn.Linear(UNITS, COLUMNS)

    def forward(self, x, known):
        out = self.output(self.layer(x[:, :-1])[0])
        return out, ((out - x[:, 1:]) ** 2 * known[:, 1:]).sum() / known[:, 1:].sum()


class Variational(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.encoder = recurrent(cell, COLUMNS)
        self.code = torch.nn.Linear(UNITS, 2 * LATENT)
        self.decoder = recurrent(cell, LATENT)
        self.output = torch.nn.Linear(UNITS, 2 * COLUMNS)

    def forward(self, x, known):
        mean, log = self.code(last(self.encoder, x)).chunk(2, 1)
        out = self.output(self.decoder(repeated(mean + torch.exp(log / 2) * NOISE))[0])
        centre, spread = out.chunk(2, 2)
        likelihood = -0.5 * (spread + (centre - x) ** 2 / torch.exp(spread) + math.log(2 * math.pi)) * known
        divergence = 0.5 * (torch.exp(log) + mean**2 - 1 - log)
        return out, (divergence.sum() - likelihood.sum()) / known.sum()


def rounded(tensor, digits=9):
    return [float(f"{value:.{digits}g}") for value in tensor.detach().flatten().tolist()]


def case(network, make, cell, steps):
    torch.manual_seed(11)
    model = make(cell)
    rows = torch.randn(WINDOWS + steps - 1, COLUMNS)
    rows[4, 1] = rows[9, 0] = rows[9, 1] = math.nan
    rows = torch.tensor(rounded(rows, 4)).view(-1, COLUMNS)
    for parameter in model.parameters():
        parameter.data = torch.tensor(rounded(parameter, 4)).view_as(parameter)
    windows = rows.unfold(0, steps, 1).transpose(1, 2)
    known = (~windows.isnan()).double()
    x = windows.nan_to_num(0)
    weights = {name: rounded(value, 4) for name, value in model.named_parameters()}
    out, loss = model(x, known)
    loss.backward()
    gradients = {name: rounded(value.grad) for name, value in model.named_parameters()}
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(11):
        optimiser.zero_grad()
        again = model(x, known)[1]
        again.backward()
        losses.append(again.item())
        optimiser.step()
    return {
        "network": network,
        "cell": cell,
        "rows": [None if math.isnan(value) else value for value in rounded(rows, 4)],
        "weights": weights,
        "outputs": rounded(out),
        "gradients": gradients,
        "losses": losses,
    }


NOISE = torch.tensor(rounded(torch.randn(WINDOWS, LATENT), 4)).view(WINDOWS, LATENT)
cases = [case("autoencoder", Autoencoder, cell, STEPS) for cell in CELLS]
cases += [case("forecaster", Forecaster, cell, STEPS + 1) for cell in CELLS]
cases += [case("variational", Variational, "lstm", STEPS)]
shape = {"columns": COLUMNS, "units": UNITS, "steps": STEPS, "windows": WINDOWS, "latent": LATENT}
made = {"madeWith": f"PyTorch {torch.__version__}", **shape, "noise": rounded(NOISE), "cases": cases}
path = pathlib.Path(__file__).parent.parent / "src/models/networks/parity.json"
path.write_text(json.dumps(made, separators=(",", ":")) + "\n")
print(path.stat().st_size, "bytes")
