"""Assignment 4, skip connections: right answers, and wrong ones with their hints."""

from planted import Answer, Wrong

CROP_TO = Answer("""
def crop_to(coarse, fine):
    h, w = fine.shape[:2]
    return coarse[:h, :w]
""")
FCN_SUM = Answer("""
def fcn_sum(encoder, num_classes, stride):
    def skip(coarse, pool):
        fine = encoder.get_layer(pool).output
        fine = fcn.layers.score(num_classes, f"score_{pool}")(fine)
        cropped = fcn.layers.CropToMatch()([coarse, fine])
        return keras.layers.Add()([cropped, fine])

    x = fcn.layers.score(num_classes, "score_fr")(encoder.get_layer("pool5").output)
    if stride <= 16:
        x = skip(fcn.layers.upscore(num_classes, 2, "upscore2")(x), "pool4")
    if stride == 8:
        x = skip(fcn.layers.upscore(num_classes, 2, "upscore_pool4")(x), "pool3")
    name = "upscore" if stride == 32 else f"upscore{stride}"
    x = fcn.layers.upscore(num_classes, stride, name)(x)
    x = fcn.layers.CropToMatch()([x, encoder.input])
    return keras.Model(encoder.input, x)
""")
FCN_CONCAT = Answer("""
def fcn_concat(encoder, num_classes):
    coarse = fcn.layers.score(num_classes, "score_fr")(encoder.get_layer("pool5").output)
    coarse = fcn.layers.upscore(num_classes, 2, "upscore2")(coarse)
    fine = fcn.layers.score(num_classes, "score_pool4")(encoder.get_layer("pool4").output)
    coarse = fcn.layers.CropToMatch()([coarse, fine])
    both = keras.layers.Concatenate()([coarse, fine])
    x = keras.layers.Conv2D(
        num_classes, 3, padding="same", activation=None, name="fuse_pool4_conv"
    )(both)
    x = fcn.layers.upscore(num_classes, 16, "upscore16")(x)
    x = fcn.layers.CropToMatch()([x, encoder.input])
    return keras.Model(encoder.input, x)
""")
BAND = Answer("""
def band(labels, width):
    inside = np.zeros(labels.shape, bool)
    upper, lower, left, right = np.s_[1:], np.s_[:-1], np.s_[:, 1:], np.s_[:, :-1]
    for a, b in ((upper, lower), (left, right)):
        differ = (labels[a] != labels[b]) & (labels[a] != 255) & (labels[b] != 255)
        inside[a] |= differ
        inside[b] |= differ
    for _ in range(width - 1):
        around = np.pad(inside, 1)
        steps = [(i, j) for i in range(3) for j in range(3)]
        h, w = labels.shape
        inside = np.any([around[i : i + h, j : j + w] for i, j in steps], axis=0)
    return inside & (labels != 255)
""")
BAND_ERROR = Answer("""
def band_error(true, found, band):
    known, wrong = true != 255, found != true
    return wrong[band & known].mean()
""")

RIGHT = {
    "crop_to": CROP_TO,
    "fcn_sum": FCN_SUM,
    "fcn_concat": FCN_CONCAT,
    "band": BAND,
    "band_error": BAND_ERROR,
}

WRONG = {
    "crop_to": {
        "cuts_at_the_beginning": Wrong(
            CROP_TO.edit("coarse[:h, :w]", "coarse[coarse.shape[0] - h :, coarse.shape[1] - w :]"),
            hint="cut at the beginning",
        ),
        "cuts_both_sides": Wrong(
            """
def crop_to(coarse, fine):
    h, w = fine.shape[:2]
    top, left = (coarse.shape[0] - h) // 2, (coarse.shape[1] - w) // 2
    return coarse[top : top + h, left : left + w]
""",
            hint="pixel 0 came from pixel 0",
        ),
        "is_one_short": Wrong(
            CROP_TO.edit("coarse[:h, :w]", "coarse[: h - 1, : w - 1]"),
            hint="1 pixel too few in height and 1 pixel too few in width",
        ),
        "exchanges_height_and_width": Wrong(
            CROP_TO.edit("coarse[:h, :w]", "coarse[:w, :h]"), hint="in width"
        ),
        "resizes": Wrong(
            """
def crop_to(coarse, fine):
    (h, w), (rows, columns) = fine.shape[:2], coarse.shape[:2]
    return coarse[np.arange(h) * rows // h][:, np.arange(w) * columns // w]
""",
            hint="it is resized",
        ),
        "cuts_only_the_height": Wrong(
            CROP_TO.edit("coarse[:h, :w]", "coarse[:h]"), hint="only the height is cut"
        ),
        "returns_the_fine_map": Wrong(
            CROP_TO.edit("coarse[:h, :w]", "fine"), hint="that is the fine map"
        ),
    },
    "fcn_sum": {
        "ends_in_a_softmax": Wrong(
            FCN_SUM.insert("x = keras.layers.Softmax()(x)", before="return keras.Model"),
            hint="there is a softmax at the end",
        ),
        "takes_relu_of_the_scores": Wrong(
            FCN_SUM.edit(
                'fcn.layers.score(num_classes, f"score_{pool}")',
                'keras.layers.Conv2D(num_classes, 1, activation="relu", name=f"score_{pool}")',
            ),
            hint="`score_pool4` has the activation relu",
        ),
        "averages_the_maps": Wrong(FCN_SUM.edit("Add()", "Average()"), hint="are averaged in"),
        "takes_the_larger_score": Wrong(
            FCN_SUM.edit("Add()", "Maximum()"), hint="the larger value is taken"
        ),
        "multiplies_the_maps": Wrong(FCN_SUM.edit("Add()", "Multiply()"), hint="are multiplied in"),
        "does_not_cut_at_the_end": Wrong(
            FCN_SUM.edit("    x = fcn.layers.CropToMatch()([x, encoder.input])\n", ""),
            hint="too many in height",
        ),
        "cuts_no_skip": Wrong(
            FCN_SUM.edit("fcn.layers.CropToMatch()([coarse, fine])", "coarse"),
            hint="does not run on",
        ),
        "reads_the_wrong_pool": Wrong(
            FCN_SUM.edit("get_layer(pool)", 'get_layer("pool3" if pool == "pool4" else "pool4")'),
            hint="read the pool of its own stride",
        ),
        "gives_a_layer_another_name": Wrong(
            FCN_SUM.edit("score_fr", "score_pool5"), hint="there is no layer called score_fr"
        ),
        "resizes_at_the_end": Wrong(
            FCN_SUM.edit(
                "fcn.layers.upscore(num_classes, stride, name)",
                "keras.layers.UpSampling2D(stride, interpolation='bilinear')",
            ),
            hint="there is no layer called upscore",
        ),
        "scores_with_a_kernel_of_3": Wrong(
            FCN_SUM.edit(
                'fcn.layers.score(num_classes, f"score_{pool}")',
                'keras.layers.Conv2D(num_classes, 3, padding="same", name=f"score_{pool}")',
            ),
            hint="`score_pool4`: look at its kernel size",
        ),
        "freezes_the_scores": Wrong(
            FCN_SUM.edit(
                'fcn.layers.score(num_classes, f"score_{pool}")',
                'keras.layers.Conv2D(num_classes, 1, trainable=False, name=f"score_{pool}")',
            ),
            hint="`score_pool4` is frozen",
        ),
        "calls_the_package_network": Wrong(
            """
def fcn_sum(encoder, num_classes, stride):
    return fcn.models.fcn(num_classes, stride, encoder, width=None)
""",
            hint="calls fcn_keras (fcn)",
        ),
        "calls_the_package_skip": Wrong(
            FCN_SUM.edit(
                "keras.layers.Add()([cropped, fine])",
                'fcn.skip_connections.fuse(cropped, fine, name="f" + pool)',
            ),
            hint="calls fcn_keras (fuse)",
        ),
    },
    "fcn_concat": {
        "concatenates_in_the_other_order": Wrong(
            FCN_CONCAT.edit("Concatenate()([coarse, fine])", "Concatenate()([fine, coarse])"),
            hint="in the other order",
        ),
        "adds_the_maps": Wrong(
            FCN_CONCAT.edit("Concatenate()", "Add()"), hint="the maps are added"
        ),
        "fuses_with_a_kernel_of_1": Wrong(
            FCN_CONCAT.edit("num_classes, 3", "num_classes, 1"),
            hint="`fuse_pool4_conv`: look at its kernel size",
        ),
        "fuses_with_a_relu": Wrong(
            FCN_CONCAT.edit("activation=None", 'activation="relu"'),
            hint="`fuse_pool4_conv` has the activation relu",
        ),
        "ends_in_a_softmax": Wrong(
            FCN_CONCAT.insert("x = keras.layers.Softmax()(x)", before="return"),
            hint="there is a softmax",
        ),
        "concatenates_along_the_height": Wrong(
            FCN_CONCAT.edit("Concatenate()", "Concatenate(axis=1)"), hint="wrong number of channels"
        ),
    },
    "band": {
        "takes_void_for_a_class": Wrong(
            BAND.edit(" & (labels[a] != 255) & (labels[b] != 255)", ""),
            hint="the border of void counts",
        ),
        "marks_one_side_of_a_border": Wrong(
            BAND.edit("        inside[b] |= differ\n", ""), hint="on one side"
        ),
        "has_a_ring_too_many": Wrong(BAND.edit("width - 1", "width"), hint="one ring too many"),
        "has_a_ring_too_few": Wrong(
            BAND.insert("inside = inside & (width > 1)", before="for _").edit(
                "width - 1", "width - 2"
            ),
            hint="one ring too few",
        ),
        "leaves_out_the_corners": Wrong(
            BAND.edit("for j in range(3)]", "for j in range(3) if 1 in (i, j)]"),
            hint="all eight neighbours",
        ),
        "contains_void": Wrong(
            BAND.edit("return inside & (labels != 255)", "return inside"),
            hint="void pixels are in it",
        ),
        "compares_only_left_and_right": Wrong(
            BAND.edit("((upper, lower), (left, right))", "((left, right),)"),
            hint="between left and right",
        ),
        "compares_only_above_and_below": Wrong(
            BAND.edit("((upper, lower), (left, right))", "((upper, lower),)"),
            hint="between above and below",
        ),
        "gives_all_but_the_band": Wrong(
            BAND.edit("return inside &", "return ~inside &"), hint="everything but the band"
        ),
        "hands_in_the_package_function": Wrong(
            "band = fcn.evaluation.boundary_band", hint="calls fcn_keras"
        ),
    },
    "band_error": {
        "counts_void": Wrong(
            BAND_ERROR.edit("wrong[band & known].mean()", "wrong[band].mean()"),
            hint="void pixels count",
        ),
        "divides_by_all_pixels": Wrong(
            BAND_ERROR.edit(
                "wrong[band & known].mean()", "(wrong & band & known).sum() / true.size"
            ),
            hint="divide by those of the band",
        ),
        "gives_the_share_of_right_pixels": Wrong(
            BAND_ERROR.edit("wrong[band & known].mean()", "1 - wrong[band & known].mean()"),
            hint="the share of right pixels",
        ),
        "measures_the_whole_picture": Wrong(
            BAND_ERROR.edit("wrong[band & known].mean()", "wrong[known].mean()"),
            hint="over the whole picture",
        ),
        "counts_the_pixels": Wrong(
            BAND_ERROR.edit("wrong[band & known].mean()", "(wrong & band & known).sum()"),
            hint="not their share",
        ),
        "gives_the_share_of_all_mistakes": Wrong(
            BAND_ERROR.edit(
                "wrong[band & known].mean()", "(wrong & band & known).sum() / (wrong & known).sum()"
            ),
            hint="share of all mistakes",
        ),
        "gives_per_cent": Wrong(
            BAND_ERROR.edit("wrong[band & known].mean()", "100 * wrong[band & known].mean()"),
            hint="that is a percentage",
        ),
    },
}
