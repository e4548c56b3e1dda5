"""The named configurations: every method is one of these, none has code of its own."""

import dataclasses

from photostyle.config.config import Config
from photostyle.config.rendering import RenderConfig
from photostyle.config.solves import COLORS, Solve
from photostyle.config.stages import (
    EncoderConfig,
    ImageConfig,
    ObjectiveConfig,
    OptimizeConfig,
    PostprocessConfig,
    SegmentationConfig,
)
from photostyle.config.universal import LatentsConfig
from photostyle.documents import named
from photostyle.errors import OptionError

#: A painting: no photorealism term, nothing projected on the content, pixels delivered as they are.
PAINT = Solve(terms=("content", "style", "tv", "gamut"), steps=500)

#: The papers know no masks but drawn ones.
DRAWN = SegmentationConfig(segmenter="labels")

GATYS = Config(
    preset="gatys",
    image=ImageConfig(size=512, style_scale=1.0),
    segmentation=DRAWN,
    encoder=EncoderConfig(
        content_layers=("conv4_2",),
        style_layers=("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
        pooling="average",
        activations="normalized",
    ),
    objective=ObjectiveConfig(
        content_weight=1e-3, style_weight=1.0, gamut_weight=0.0, scaling="gatys",
        plain_regions="full",
    ),
    optimize=OptimizeConfig(init="noise", solves=(PAINT,)),
    postprocess=PostprocessConfig(postprocess="none"),
    render=RenderConfig(deliver="pixels"),
)  # fmt: skip

PRESETS: dict[str, Config] = {
    "photoreal": Config(),
    "photoreal-fast": Config(
        preset="photoreal-fast",
        objective=ObjectiveConfig(drift_weight=2.7),
        optimize=OptimizeConfig(solves=(COLORS,)),
        postprocess=PostprocessConfig(guided_radius=7, shadow_recovery=0.7),
    ),
    "color": Config(
        preset="color",
        optimize=OptimizeConfig(solves=()),
        postprocess=PostprocessConfig(guided_radius=10),
    ),
    # Luan et al. 2017 with the authors' published constants: stage one without the Laplacian, from
    # noise, then as long again with it.
    "dpst": Config(
        preset="dpst",
        segmentation=DRAWN,
        objective=ObjectiveConfig(
            tv_weight=1e-3, gamut_weight=0.0, scaling="dpst", plain_regions="full"
        ),
        optimize=OptimizeConfig(
            init="noise",
            solves=(
                Solve(terms=("content", "style", "tv"), steps=1000),
                Solve(terms=("content", "style", "photoreal", "tv"), steps=1000),
            ),
        ),
        postprocess=PostprocessConfig(postprocess="affine"),
    ),
    # Gatys et al. 2016 as the paper has it: taps before the ReLU, average pooling, normalised
    # weights, w_l = 1/5, white noise, one size, the style at the content's size.
    "gatys": GATYS,
    # The authors' published code: taps after the ReLU, max pooling, layer weights 1/C² (which
    # scaling "dpst" has, as it divides Gram matrices by C), content mean, 1 : 1e3, content as init.
    "gatys-code": dataclasses.replace(
        GATYS,
        preset="gatys-code",
        encoder=EncoderConfig(activations="normalized"),
        objective=dataclasses.replace(
            GATYS.objective, content_weight=1.0, style_weight=1e3, scaling="dpst"
        ),
        optimize=OptimizeConfig(init="content", solves=(PAINT,)),
    ),
    # The same terms as "gatys", coarse to fine.
    "gatys-fine": dataclasses.replace(
        GATYS,
        preset="gatys-fine",
        optimize=OptimizeConfig(
            init="noise", pyramid=3, solves=(dataclasses.replace(PAINT, steps=100),)
        ),
    ),
    # Johnson et al. 2016: a network trained on one style (`photostyle train`), applied as it is.
    "fast": dataclasses.replace(
        GATYS,
        preset="fast",
        image=ImageConfig(size=2048),
        optimize=OptimizeConfig(
            init="content", solves=(Solve(canvas="network", terms=("gamut",), steps=0),)
        ),
    ),
    # Li and Wand 2016: patches in place of Gram matrices, coarse to fine, with the total variation.
    "mrf": dataclasses.replace(
        GATYS,
        preset="mrf",
        encoder=EncoderConfig(style_layers=("relu3_1", "relu4_1")),
        objective=dataclasses.replace(
            GATYS.objective,
            style_term="mrf",
            scaling="target",
            content_weight=1.0,
            style_weight=1.0,
            tv_weight=1e-3,
            gamut_weight=10.0,
        ),
        optimize=OptimizeConfig(
            init="content", pyramid=3, solves=(dataclasses.replace(PAINT, steps=60),)
        ),
    ),
}


#: A painting in one pass, of any style.
ONE_PASS = dataclasses.replace(
    GATYS, image=ImageConfig(size=512), optimize=OptimizeConfig(init="latents", solves=())
)
PRESETS |= {
    # Style in the low bands, the content's own high bands (WCT2's idea), distilled.
    "wavelet": Config(preset="wavelet", optimize=OptimizeConfig(init="latents", solves=())),
    # Li et al. 2017: an encoder's levels, the deepest first, by trained decoders.
    "wct": dataclasses.replace(
        ONE_PASS, preset="wct", latents=LatentsConfig(transform="decoder", alpha=0.6)
    ),
    # An et al. 2021: a reversible network; AdaIN is what it is trained with.
    "artflow": dataclasses.replace(
        ONE_PASS, preset="artflow", latents=LatentsConfig(transform="artflow", transfer="adain")
    ),
}


#: What each is for, in a sentence.
SUMMARIES = {
    "photoreal": "light, colour and mood in a clean photograph; some ten seconds",
    "photoreal-fast": "nearly the same without an encoder, in half the time",
    "color": "the matched colour transfer alone, the quickest",
    "dpst": "Deep Photo Style Transfer as its authors published it; minutes",
    "gatys": "a painting's brushwork as in the paper of 2016; --style is a painting",
    "gatys-code": "the same with the constants of the authors' code",
    "gatys-fine": "the same coarse to fine, sooner and with larger strokes",
    "fast": "a network that `photostyle train` made, given by --model; one pass",
    "mrf": "patches of the painting in place of its statistics",
    "wavelet": "a photograph's light and colour in one pass, without network or download",
    "wct": "any painting in one pass by trained decoders, given by --model",
    "artflow": "the same by a reversible network, which loses nothing of the content",
}


def preset(name: str) -> Config:
    """The preset of that name.

    Raises:
        OptionError: there is none; the message lists those that exist.
    """
    if not isinstance(name, str) or name not in PRESETS:
        known = ", ".join(PRESETS)
        raise OptionError(
            f"--preset {named(str(name))}: there is no such preset; choose from {known}."
        )
    return PRESETS[name]
