"""Published networks by name. At other sizes than their own they grow or shrink by the rule of their class."""

from oddgan.networks.auto import Auto
from oddgan.networks.headed import HeadedLadder
from oddgan.networks.ladder import ConvLadder
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

# Lüer et al., 2023, and the released code for beats of 320: BEATGAN_1D, with a convolution of kernel 1 before the
# code, and a critic with spectral norm on C 2 to 5 and no batch norm. There, mean and log variance have 16 channels
# each before their own linear layer; here both linear layers see all 32. There, the critic has no biases.
VAEGAN_1D = HeadedLadder(width=32, max_width=512, norm="batch", critic_norm="none", head=32, init="xavier")

# Abati et al., 2019, at 28 px: residual blocks to 32 x 14 x 14 and 64 x 7 x 7. The released blocks activate after the
# sum instead of before, draw with kernels of 5, and have a layer of 64 on either side of the code.
LSA_RESNET_28 = ResNet(width=16, max_width=64, norm="batch", init="he")
