"""The article's DCGAN in PyTorch: channels last, one generator pass a step."""
import argparse

from serve import serve
import torch
from torch import nn

LATENT = 100


class Generator(nn.Module):

  def __init__(self):
    super().__init__()
    self.dense = nn.Linear(LATENT, 128 * 7 * 7)
    blocks = []
    for stride in (1, 2, 2):
      blocks += [nn.ConvTranspose2d(128, 128, 5, stride, padding=2, output_padding=stride - 1),
                 nn.BatchNorm2d(128), nn.ReLU()]
    self.blocks = nn.Sequential(*blocks, nn.Conv2d(128, 1, 7, padding=3), nn.Tanh())

  def forward(self, z):
    return self.blocks(torch.relu(self.dense(z)).view(-1, 128, 7, 7))


def discriminator() -> nn.Module:
  blocks = []
  for channels in (1, 128):
    blocks += [nn.Conv2d(channels, 128, 5, 2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3)]
  return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(128 * 49, 1))


def main() -> None:
  parser = argparse.ArgumentParser()
  parser.add_argument('--batch', type=int, default=64)
  parser.add_argument('--compile', action='store_true')
  args = parser.parse_args()
  layout = {'memory_format': torch.channels_last}
  g, d = Generator().to(**layout), discriminator().to(**layout)
  adam_g, adam_d = (torch.optim.Adam(net.parameters(), 1e-4) for net in (g, d))
  if args.compile:
    g, d = torch.compile(g), torch.compile(d)
  cross_entropy = nn.BCEWithLogitsLoss()
  ones, zeros = torch.ones(args.batch, 1), torch.zeros(args.batch, 1)
  real = torch.randn(args.batch, 1, 28, 28).contiguous(**layout)

  def step():
    fake = g(torch.randn(args.batch, LATENT))
    adam_d.zero_grad()
    (cross_entropy(d(real), ones) + cross_entropy(d(fake.detach()), zeros)).backward()
    adam_d.step()
    adam_g.zero_grad()
    cross_entropy(d(fake), ones).backward()
    adam_g.step()

  serve(f'torch {torch.__version__}', step)


if __name__ == '__main__':
  main()
