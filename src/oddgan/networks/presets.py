"""Published networks by name. At other sizes than their own they grow or shrink by the rule of their class."""

from oddgan.networks.auto import Auto
from oddgan.networks.ladder import ConvLadder
from oddgan.networks.lenet import LeNet
from oddgan.networks.mlp import MLP
from oddgan.networks.resnet import ResNet

# Radford et al., 2016, at 32 px: C(4,2,1) 64-128-256, C(4,1,0) out; the decoder in reverse. Weights N(0, 0.02),
# gains of batch norm N(1, 0.02).
DCGAN_32 = ConvLadder(width=64, norm="batch", critic_norm="batch", slope=0.2, init="dcgan")

# Akcay et al., 2018, and the released code at 32 px: DCGAN's ladder for both encoders, the decoder and the critic,
# whose features are the last map, 256 x 4 x 4.
GANOMALY_32 = ConvLadder(width=64, norm="batch", critic_norm="batch", slope=0.2, init="dcgan")

# Zhou et al., 2019, and the released code for beats of 320: C(4,2,1) 32-64-128-256-512, C(10,1,0) out; the decoder in
# reverse; features 512 x 10; Xavier-normal weights.
BEATGAN_1D = ConvLadder(width=32, max_width=512, norm="batch", critic_norm="batch", slope=0.2, init="xavier")

# Schlegl et al., 2019, and the released code at 64 px: blocks 128-256-512-512 down, 512-256-128-64 up; layer norm in
# the critic, batch norm in generator and encoder; features 512 x 4 x 4, flattened.
FANOGAN_RESNET_64 = ResNet(width=64, max_width=512, norm="batch", critic_norm="layer", init="he")

# What a critic under a gradient penalty needs, for all kinds of data: no batch norm in it (Gulrajani et al., 2017).
WASSERSTEIN = Auto(
    table=MLP(norm="batch"),
    series=ConvLadder(width=32, critic_norm="layer"),
    image=ConvLadder(critic_norm="layer"),
)

# Ruff et al., 2018, and the released code: at 28 px C(5,1,2) 8-4 with max pooling, FC 32; their kind for series and
# tables.
DEEP_SVDD = Auto(
    table=MLP(bias=False),
    series=LeNet(widths=(32, 16)),
    image=LeNet(widths=(8, 4)),
)

# The same at 32 px in colours: C(5,1,2) 32-64-128, FC 128; Xavier weights.
DEEP_SVDD_32 = LeNet(widths=(32, 64, 128), init="xavier")
