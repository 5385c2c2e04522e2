"""Trains an LSTM autoencoder with PyTorch, batch by batch: of each line "first last" come back seconds of processor time and the mean loss.

Arguments: hidden, metrics, steps, batch, file of windows (float32: window, step, metric), file of initial weights (float32: for encoder and
decoder the weights of the input, those of the state and the biases, as PyTorch orders them; then weights and biases of the output).
"""

import json
import sys
import time

import numpy
import torch

hidden, metrics, steps, size = (int(argument) for argument in sys.argv[1:5])
torch.set_num_threads(1)
windows = torch.from_numpy(numpy.fromfile(sys.argv[5], dtype=numpy.float32).reshape(-1, steps, metrics))


class Autoencoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.LSTM(metrics, hidden, batch_first=True)
        self.decoder = torch.nn.LSTM(hidden, hidden, batch_first=True)
        self.output = torch.nn.Linear(hidden, metrics)

    def forward(self, x):
        _, (state, _) = self.encoder(x)
        repeated = state[0].unsqueeze(1).expand(-1, steps, -1)
        return self.output(self.decoder(repeated)[0])


model = Autoencoder()
flat = torch.from_numpy(numpy.fromfile(sys.argv[6], dtype=numpy.float32))
at = 0
with torch.no_grad():
    for layer in (model.encoder, model.decoder):
        # The second bias adds nothing to the first: it is held at nought.
        layer.bias_hh_l0.zero_().requires_grad_(False)
        for weight in (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0):
            weight.copy_(flat[at : at + weight.numel()].view_as(weight))
            at += weight.numel()
    for weight in (model.output.weight, model.output.bias):
        weight.copy_(flat[at : at + weight.numel()].view_as(weight))
        at += weight.numel()
optimiser = torch.optim.Adam([weight for weight in model.parameters() if weight.requires_grad], lr=0.001)

print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    first, last = (int(word) for word in line.split())
    total = 0.0
    start = time.process_time()
    for batch in range(first, last):
        x = windows[batch * size : (batch + 1) * size]
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), x)
        loss.backward()
        optimiser.step()
        total += loss.item()
    print(json.dumps({"seconds": time.process_time() - start, "loss": total / (last - first)}), flush=True)
