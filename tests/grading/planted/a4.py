"""Assignment 4: plausible wrong answers, each with a piece of the hint that it must get."""

SUM = """
def fcn_sum(encoder, num_classes, stride):
    def skip(coarse, pool):
        fine = {score}(encoder.get_layer({read}).output)
        return {merge}([{cut}([coarse, fine]), fine])

    x = fcn.layers.score(num_classes, {first!r})(encoder.get_layer("pool5").output)
    if stride <= 16:
        x = skip(fcn.layers.upscore(num_classes, 2, "upscore2")(x), "pool4")
    if stride == 8:
        x = skip(fcn.layers.upscore(num_classes, {factor}, "upscore_pool4")(x), "pool3")
    x = {last}(x)
    {end}
    return keras.Model(encoder.input, {result})
"""
CONCAT = """
def fcn_concat(encoder, num_classes):
    coarse = fcn.layers.score(num_classes, "score_fr")(encoder.get_layer("pool5").output)
    coarse = fcn.layers.upscore(num_classes, 2, "upscore2")(coarse)
    fine = fcn.layers.score(num_classes, "score_pool4")(encoder.get_layer({pool!r}).output)
    coarse = fcn.layers.CropToMatch()([coarse, fine])
    both = keras.layers.{merge}({order})
    x = keras.layers.Conv2D(num_classes, {kernel}, padding="same", activation={activation!r}, name="fuse_pool4_conv")(both)
    x = fcn.layers.upscore(num_classes, 16, "upscore16")(x)
    x = fcn.layers.CropToMatch()([x, encoder.input])
    return keras.Model(encoder.input, {result})
"""
BAND = """
def band(labels, width):
    inside = np.zeros(labels.shape, bool)
    for a, b in {pairs}:
        differ = (labels[a] != labels[b]){void}
        inside[a] |= differ
        {other}
    {first}
    for _ in range({rings}):
        around = np.pad(inside, 1)
        steps = [(i, j) for i in range(3) for j in range(3){corners}]
        inside = np.any([around[i : i + labels.shape[0], j : j + labels.shape[1]] for i, j in steps], axis=0)
    return {returned}
"""


def by_sum(**changes):
    usual = {
        "score": 'fcn.layers.score(num_classes, f"score_{pool}")', "read": "pool", "merge": "keras.layers.Add()", "cut": "fcn.layers.CropToMatch()",
        "first": "score_fr", "factor": 2, "last": 'fcn.layers.upscore(num_classes, stride, "upscore" if stride == 32 else f"upscore{stride}")',
        "end": "x = fcn.layers.CropToMatch()([x, encoder.input])", "result": "x",
    }  # fmt: skip
    return SUM.format(**usual | changes)


def by_concat(**changes):
    usual = {"pool": "pool4", "merge": "Concatenate()", "order": "[coarse, fine]", "kernel": 3, "activation": None, "result": "x"}
    return CONCAT.format(**usual | changes)


def banded(**changes):
    usual = {
        "pairs": "((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))", "void": " & (labels[a] != 255) & (labels[b] != 255)",
        "other": "inside[b] |= differ", "first": "pass", "rings": "width - 1", "corners": "", "returned": "inside & (labels != 255)",
    }  # fmt: skip
    return BAND.format(**usual | changes)


def cropped(returned):
    return f"def crop_to(coarse, fine):\n    h, w = fine.shape[:2]\n    dh, dw = coarse.shape[0] - h, coarse.shape[1] - w\n    return {returned}"


def error(returned):
    return f"def band_error(true, found, band):\n    known, wrong = true != 255, found != true\n    return {returned}"


WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "crop_to": [
        ("cuts at the beginning", cropped("coarse[dh:, dw:]"), "cut at the beginning"),
        ("cuts both sides", cropped("coarse[dh // 2 : dh // 2 + h, dw // 2 : dw // 2 + w]"), "pixel 0 came from pixel 0"),
        ("off by one", cropped("coarse[: h - 1, : w - 1]"), "1 pixel too few in height and 1 pixel too few in width"),
        ("height and width exchanged", cropped("coarse[:w, :h]"), "in width"),
        ("resizes", cropped("coarse[np.arange(h) * (h + dh) // h][:, np.arange(w) * (w + dw) // w]"), "it is resized"),
        ("only the height", cropped("coarse[:h]"), "only the height is cut"),
        ("gives the fine one", cropped("fine"), "that is the fine map"),
    ],
    "fcn_sum": [
        ("a softmax", by_sum(end="x = keras.layers.Softmax()(fcn.layers.CropToMatch()([x, encoder.input]))"), "there is a softmax at the end"),
        ("ReLU on scores", by_sum(score='keras.layers.Conv2D(num_classes, 1, activation="relu", name=f"score_{pool}")'), "`score_pool4` has the activation relu"),
        ("averages", by_sum(merge="keras.layers.Average()"), "are averaged in"),
        ("takes the larger", by_sum(merge="keras.layers.Maximum()"), "the larger value is taken"),
        ("multiplies", by_sum(merge="keras.layers.Multiply()"), "are multiplied in"),
        ("not cut at the end", by_sum(end="pass"), "too many in height"),
        ("cuts nothing", by_sum(cut="(lambda pair: pair[0])"), "does not run on"),
        ("skip of the wrong pool", by_sum(read='"pool3" if pool == "pool4" else "pool4"'), "read the pool of its own stride"),
        ("another name", by_sum(first="score_pool5"), "there is no layer called score_fr"),
        ("resizes at the end", by_sum(last="keras.layers.UpSampling2D(stride, interpolation='bilinear')"), "there is no layer called upscore"),
        ("a kernel of 3", by_sum(score='keras.layers.Conv2D(num_classes, 3, padding="same", name=f"score_{pool}")'), "`score_pool4`: look at its kernel size"),
        ("frozen scores", by_sum(score='keras.layers.Conv2D(num_classes, 1, trainable=False, name=f"score_{pool}")'), "`score_pool4` is frozen"),
        ("the package's own", "def fcn_sum(encoder, num_classes, stride):\n    return fcn.models.fcn(num_classes, stride, encoder, width=None)", "calls fcn_keras (fcn)"),
        ("the package's skip", by_sum(merge="(lambda pair: fcn.skip_connections.fuse(*pair, name='f' + pool))"), "calls fcn_keras (fuse)"),
    ],
    "fcn_concat": [
        ("the other order", by_concat(order="[fine, coarse]"), "in the other order"),
        ("a sum", by_concat(merge="Add()"), "the maps are added"),
        ("a kernel of 1", by_concat(kernel=1), "`fuse_pool4_conv`: look at its kernel size"),
        ("ReLU", by_concat(activation="relu"), "`fuse_pool4_conv` has the activation relu"),
        ("a softmax", by_concat(result="keras.layers.Softmax()(x)"), "there is a softmax"),
        ("along the height", by_concat(merge="Concatenate(axis=1)"), "reads a map of the wrong channels"),
    ],
    "band": [
        ("void is a class", banded(void=""), "the border of void counts"),
        ("one side", banded(other="pass"), "on one side"),
        ("a ring too many", banded(rings="width"), "one ring too many"),
        ("a ring too few", banded(rings="width - 2", first="inside = inside & (width > 1)"), "one ring too few"),
        ("no corners", banded(corners=" if 1 in (i, j)"), "all eight neighbours"),
        ("void in it", banded(returned="inside"), "void pixels are in it"),
        ("only left and right", banded(pairs="((np.s_[:, 1:], np.s_[:, :-1]),)"), "between left and right"),
        ("only above and below", banded(pairs="((np.s_[1:], np.s_[:-1]),)"), "between above and below"),
        ("all but the band", banded(returned="~inside & (labels != 255)"), "all but the band"),
        ("the package's own", "band = fcn.evaluation.boundary_band", "calls fcn_keras"),
    ],
    "band_error": [
        ("void counted", error("wrong[band].mean()"), "void pixels count"),
        ("of all pixels", error("(wrong & band & known).sum() / true.size"), "divide by those of the band"),
        ("right for wrong", error("1 - wrong[band & known].mean()"), "the share of right pixels"),
        ("everywhere", error("wrong[known].mean()"), "over the whole picture"),
        ("a number of pixels", error("(wrong & band & known).sum()"), "not their share"),
        ("share of the mistakes", error("(wrong & band & known).sum() / (wrong & known).sum()"), "share of all mistakes"),
        ("per cent", error("100 * wrong[band & known].mean()"), "that is per cent"),
    ],
}  # fmt: skip
