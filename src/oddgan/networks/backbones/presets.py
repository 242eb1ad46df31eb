"""Published networks by name. At other sizes than their own they grow or shrink by the rule of their class."""

from oddgan.networks.backbones.auto import Auto
from oddgan.networks.backbones.bigan import Bidirectional, DenseLadder
from oddgan.networks.backbones.dcgan import ConvLadder
from oddgan.networks.backbones.lenet import LeNet
from oddgan.networks.backbones.mlp import MLP, FlatMLP
from oddgan.networks.backbones.pooled import Pooled
from oddgan.networks.backbones.refiner import Refiner
from oddgan.networks.backbones.resnet import ResNet
from oddgan.networks.backbones.vaegan import HeadedLadder

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
# Narrow enough for a CPU.
WASSERSTEIN = Auto(
    table=MLP(norm="batch"),
    series=FlatMLP(hidden=(512, 256), norm="batch"),
    image=ConvLadder(width=16, critic_norm="layer"),
)
# The same, fully connected for images, too: on small ones generators cover the data in a minute of a CPU, and, made of
# whole shapes rather than of strokes, draw little else, however long is searched. Large images need convolutions.
WASSERSTEIN_FLAT = Auto(
    table=WASSERSTEIN.table,
    series=WASSERSTEIN.series,
    image=FlatMLP(hidden=(512, 256), norm="batch"),
    large=ConvLadder(width=32, critic_norm="layer", first_bias=True),
)

# Ruff et al., 2018, and the released code: at 28 px C(5,1,2) 8-4 with max pooling, FC 32, batch norm without gain and
# shift; their kind for series and tables.
DEEP_SVDD = Auto(
    table=MLP(bias=False, norm="batch"),
    series=LeNet(widths=(32, 16)),
    image=LeNet(widths=(8, 4)),
)

# The same at 32 px in colours: C(5,1,2) 32-64-128, FC 128; Xavier weights.
DEEP_SVDD_32 = LeNet(widths=(32, 64, 128), init="xavier")

# Zenati et al., 2018 (EGBAD), and the released code at 28 px: E C(3,1)32 C(3,2)64-128 and a linear layer; G linear 1024
# and 7·7·128, T(4,2)64, T(4,2)c; D C(4,2)64-64 beside linear 512, which meet in 1024; dropout 0.5 in all of D. The
# release pads its 3 x 3 convolutions on the right and below only, and has no activation behind the first in some of its
# versions. Codes of 200.
EGBAD_MNIST = Bidirectional(
    encoders=DenseLadder(stem=32, width=64, kernel=3, slope=0.1),
    decoders=DenseLadder(dense=(1024,), width=64),
    samples=DenseLadder(width=64, max_width=64, slope=0.1, dropout=0.5),
    codes=MLP(hidden=(512,), slope=0.1, dropout=0.5),
    width=1024,
    slope=0.1,
    dropout=0.5,
    init="dcgan",
)

# The same papers' code for KDD99: E 64, G 64-128, D 128 beside 128, which meet in 128. Codes of 32.
EGBAD_KDD = Bidirectional(
    encoders=MLP(hidden=(64,), slope=0.1, init="xavier"),
    decoders=MLP(hidden=(128, 64), init="xavier"),
    samples=MLP(hidden=(128,), slope=0.1, dropout=0.2),
    codes=MLP(hidden=(128,), slope=0.1, dropout=0.2),
    width=128,
    slope=0.1,
    dropout=0.2,
    init="xavier",
)

# Zenati et al., 2018 (ALAD), and the released code for CIFAR-10: E C(4,2)128-256-512 and C(4,1,0), G in reverse; D_xz
# has the same levels beside linear 512-512, which meet in 1024. Codes of 100. The release draws weights from
# N(0, 0.01), and has no spectral norm on last layers.
ALAD_CIFAR10 = Bidirectional(
    encoders=DenseLadder(width=128),
    decoders=DenseLadder(width=128),
    samples=ConvLadder(width=128),
    codes=MLP(hidden=(512, 512), dropout=0.2),
    width=1024,
    dropout=0.2,
    init="dcgan",
)
# ALAD's critic D_xx of samples with their reconstructions: C(5,2)64-128 and a linear layer for images, 128 for tables.
ALAD_PAIRS = Auto(
    table=MLP(hidden=(128,), dropout=0.2, init="xavier"),
    series=DenseLadder(width=64, depth=2, kernel=5, critic_norm="none", dropout=0.2),
    image=DenseLadder(width=64, depth=2, kernel=5, critic_norm="none", dropout=0.2),
)

# ALAD's code for KDD99 (D_xx: 128, D_zz: 32, codes of 32) and arrhythmia (D_xx: 256-128, D_zz: 64-32, codes of 64), of
# E, G and D_xz.
ALAD_KDD = Bidirectional(
    encoders=MLP(hidden=(64,), init="xavier"),
    decoders=MLP(hidden=(128, 64), init="xavier"),
    samples=MLP(hidden=(128,), critic_norm="batch"),
    codes=MLP(hidden=(128,), dropout=0.5),
    width=128,
    dropout=0.5,
    init="xavier",
)
ALAD_ARRHYTHMIA = Bidirectional(
    encoders=MLP(hidden=(256, 128), init="xavier"),
    decoders=MLP(hidden=(256, 128), init="xavier"),
    samples=MLP(hidden=(128,), critic_norm="batch"),
    codes=MLP(hidden=(128,), dropout=0.5),
    width=256,
    dropout=0.5,
    init="xavier",
)

_EGBAD_FLAT = Bidirectional(
    encoders=FlatMLP(hidden=(256, 256), norm="batch", init="he"),
    decoders=FlatMLP(hidden=(256, 256), norm="batch", init="he"),
    samples=FlatMLP(hidden=(512, 512), init="he"),
    codes=MLP(hidden=(512,), init="he"),
    width=512,
    init="he",
)
_ALAD_FLAT = Bidirectional(
    encoders=FlatMLP(hidden=(256, 128), norm="batch", init="he"),
    decoders=FlatMLP(hidden=(256, 128), norm="batch", init="he"),
    samples=FlatMLP(hidden=(256, 128), init="he"),
    codes=MLP(hidden=(256, 128), init="he"),
    init="he",
)

_LARGE = ConvLadder(width=32, norm="batch", critic_norm="none", init="he")

# What learns in minutes on a CPU. Batch norm in the encoder keeps its codes in place: without it they wander, an
# average of its weights answers with codes near 0, and nothing is reconstructed.
EGBAD_DENSE = Auto(
    table=Bidirectional(
        encoders=MLP(hidden=(128, 64), norm="batch", init="he"),
        decoders=MLP(hidden=(128, 64), norm="batch", init="he"),
        samples=MLP(hidden=(128,), init="he"),
        codes=MLP(hidden=(128,), init="he"),
        width=128,
        init="he",
    ),
    series=_EGBAD_FLAT,
    image=_EGBAD_FLAT,
    large=_LARGE,
)
# The same for ALAD, whose D_xx is ALAD_DENSE_PAIRS.
ALAD_DENSE = Auto(table=EGBAD_DENSE.table, series=_ALAD_FLAT, image=_ALAD_FLAT, large=_LARGE)
ALAD_DENSE_PAIRS = Auto(
    table=MLP(hidden=(128, 64), init="he"),
    series=FlatMLP(hidden=(256, 128), init="he"),
    image=FlatMLP(hidden=(256, 128), init="he"),
    large=_LARGE,
)

# Lüer et al., 2023, and the released code for beats of 320: BEATGAN_1D, with a convolution of kernel 1 before the
# code, and a critic with spectral norm on C 2 to 5 and no batch norm. There, mean and log variance have 16 channels
# each before their own linear layer; here both linear layers see all 32. There, the critic has no biases.
VAEGAN_1D = HeadedLadder(width=32, max_width=512, norm="batch", critic_norm="none", head=32, init="xavier")

# Abati et al., 2019, at 28 px: residual blocks to 32 x 14 x 14 and 64 x 7 x 7. The released blocks activate after the
# sum instead of before, draw with kernels of 5, and have a layer of 64 on either side of the code.
LSA_RESNET_28 = ResNet(width=16, max_width=64, norm="batch", init="he")

# Makhzani et al., 2015, on MNIST: two hidden layers of 1000 ReLU in encoder, decoder and latent critic. The paper draws
# weights from N(0, 0.01).
AAE_MLP = FlatMLP(hidden=(1000, 1000), slope=0.0)

# Pidhorskyi et al., 2018, and the released code at 32 px: C(4,2,1) 64-256-512, C(4,1,0) out; the decoder 256-256-128;
# the latent critic 128-128. The code's convolutions have biases before batch norm, which takes them away.
GPND_32 = ConvLadder(widths=(64, 256, 512), decoder_widths=(128, 256, 256), codes=MLP(hidden=(128, 128), init="dcgan"))

# Salehi et al., 2021, the released code on images of any size as rows: 512-256 sigmoid, then codes of 128 in (0, 1);
# the decoder in reverse; Glorot-normal weights.
ARAE_MLP = FlatMLP(hidden=(512, 256), activation="sigmoid", init="xavier")

# Yoon et al., 2021, and the released code for MNIST: C3 32-64, pool, C3 64-128, pool, C4 1024, C1 out; the decoder T4
# 128, and after each of two interpolations T3 64-64 and 32-c. Unit-sphere codes of 32 are the method's choice.
NAE_28 = Pooled(width=32, depth=2, hidden=1024)

# Perera et al., 2019, and the released code: C5 64-128-256, the decoder in reverse, D_l 128-64-32-16 with ReLU. Maps
# are padded here, so that 64 px take the place of the release's 61, and the critics are as wide as the encoder; the
# release has 12 channels there, and a dropout of 0.5 in the decoder.
OCGAN_64 = ConvLadder(width=64, kernel=5, depth=3, slope=0.2, codes=MLP(hidden=(128, 64, 32, 16), slope=0.0))

# Sabokrou et al., 2018: R is C5 64-128-256-512 and back, D is C5 64-128-256-512, one output, all batch-normalised.
ALOCC_REFINER = Refiner(widths=(64, 128, 256, 512), kernel=5, norm="batch", init="dcgan")
ALOCC_CRITIC = ConvLadder(width=64, max_width=512, kernel=5, depth=4, critic_norm="batch")
