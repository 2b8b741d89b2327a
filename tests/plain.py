"""The conventions once more, in plain NumPy and float64, written from the equations and not from nst_jax.

An activation is (h, w, n). A convention is (content, style, smooth, share): content(F, P), style(F, A, pixels) of two
activations, smooth(x) of a picture in 0..255, share(n, layers) of the style weight for a layer of n channels. Beside
them VGG-19 with its directional derivatives.
"""

import numpy as np

MEAN_BGR = np.array((103.939, 116.779, 123.68))
BLOCKS = ((64, 2), (128, 2), (256, 4))


def convolved(x, kernel):
    """3 x 3, zeros beyond the border; x (h, w, n)."""
    h, w, n = x.shape
    p = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    parts = [(p[i : i + h, j : j + w].reshape(-1, n), kernel[i, j]) for i in range(3) for j in range(3)]
    return sum((part @ k for part, k in parts), start=np.zeros(())).reshape(h, w, -1)


def pooled(values, pool="max", rounding="floor"):
    """Each 2 x 2 cell by its maximum in the first picture, whose choice the others follow, or by its mean.

    An odd border is dropped by floor; by ceil it makes cells of the pixels that exist.
    """
    h, w = (-(-s // 2) if rounding == "ceil" else s // 2 for s in values[0].shape[:2])
    out = [np.zeros((h, w, v.shape[2])) for v in values]
    for i in range(h):
        for j in range(w):
            cells = [v[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(-1, v.shape[2]) for v in values]
            top = cells[0].argmax(0)[None]
            for o, cell in zip(out, cells, strict=True):
                o[i, j] = np.take_along_axis(cell, top, 0)[0] if pool == "max" else cell.mean(0)
    return out


def vgg(weights, picture, directions=(), last="relu3_4", *, blocks=BLOCKS, pool="max", rounding="floor"):
    """By layer: the activation of an 8-bit picture, then its derivative along each direction (per unit of 0..255)."""
    values, out = [picture[..., ::-1] - MEAN_BGR, *(d[..., ::-1] for d in directions)], {}
    for block, (_, depth) in enumerate(blocks, 1):
        for i in range(1, depth + 1):
            name = f"{block}_{i}"
            values = [convolved(v, weights[f"conv{name}.kernel"].astype(np.float64)) for v in values]
            values[0] = values[0] + weights[f"conv{name}.bias"]
            out[f"conv{name}"] = values
            values = out[f"relu{name}"] = [v * (values[0] > 0) for v in values]
            if f"relu{name}" == last:
                return out
        values = out[f"pool{block}"] = pooled(values, pool, rounding)
    return out


def size(f):
    return f.shape[0] * f.shape[1], f.shape[2]


def flat(f):
    """N rows of M values, as the papers write F."""
    return f.reshape(-1, f.shape[2]).T


def sum_gram(f):
    return flat(f) @ flat(f).T


def mean_gram(f):
    return sum_gram(f) / size(f)[0]


def full_gram(f):
    return sum_gram(f) / (size(f)[0] * size(f)[1])


def sse(a, b):
    return ((a - b) ** 2).sum()


def mse(a, b):
    return ((a - b) ** 2).mean()


def half(f, p):
    return 0.5 * sse(f, p)


def between(f, p):
    m, n = size(f)
    return sse(f, p) / (2 * np.sqrt(n) * np.sqrt(m))


def paper(f, a, _):
    m, n = size(f)
    return sse(sum_gram(f) / m, sum_gram(a) / size(a)[0]) / (4 * n**2)


def paper_sums(f, a, _):
    m, n = size(f)
    return sse(sum_gram(f), sum_gram(a)) / (4 * n**2 * m**2)


def keras(f, a, pixels):
    return sse(sum_gram(f), sum_gram(a)) / (4 * 3**2 * pixels**2)


def per_map(f, a, _):
    return mse(mean_gram(f), mean_gram(a))


def per_entry(f, a, _):
    return mse(full_gram(f), full_gram(a))


def per_entry_sum(f, a, _):
    return sse(full_gram(f), full_gram(a))


def scaled(a, b):
    return ((a - b) ** 2).sum() / (np.abs(a - b).sum() + 1e-8)


def deviation(f):
    return np.sqrt(flat(f).var(1) + 1e-6)


def mean(f):
    return flat(f).mean(1)


def adain(f, a, _):
    return sse(mean(f), mean(a)) + sse(deviation(f), deviation(a))


def statistics(f, a, _):
    return mse(mean(f), mean(a)) + mse(deviation(f), deviation(a))


def covariances(f, a, _):
    return sse(np.cov(flat(f), bias=True), np.cov(flat(a), bias=True)) / (4 * size(f)[1] ** 2)


def shift(f, a, _):
    return sse(mean_gram(f - 1), mean_gram(a - 1)) / (4 * size(f)[1] ** 2)


def relative(f, p):
    return sse(f, p) / (p**2).sum()


def relative_grams(f, a, _):
    return relative(mean_gram(f), mean_gram(a))


def whitened_grams(f, a, _):
    target = mean_gram(a)
    values, vectors = np.linalg.eigh(target + 0.1 * np.trace(target) / len(target) * np.eye(len(target)))
    inverse_root = vectors @ np.diag(values**-0.5) @ vectors.T
    return ((inverse_root @ (mean_gram(f) - target) @ inverse_root) ** 2).sum() / len(target)


def newton_schulz(a, iterations=12):
    norm = np.sqrt((a**2).sum())
    y, z, one = a / norm, np.eye(len(a)), np.eye(len(a))
    for _ in range(iterations):
        t = 0.5 * (3 * one - z @ y)
        y, z = y @ t, t @ z
    return y * np.sqrt(norm)


def bures(f, a, _):
    one = 1e-4 * np.eye(size(f)[1])
    s, t = np.cov(flat(f), bias=True) + one, np.cov(flat(a), bias=True) + one
    r = newton_schulz(t)
    return mse(mean(f), mean(a)) + np.diag(s + t - 2 * newton_schulz(r @ s @ r)).mean()


def nearest(sorted_columns, count):
    """Row i of the result is the row whose place is nearest to the middle of quantile i."""
    n = len(sorted_columns)
    return sorted_columns[[int((i + 0.5) * n / count) for i in range(count)]]


def histograms(f, a, _):
    ranks = np.argsort(np.argsort(flat(f).T, axis=0, kind="stable"), axis=0)
    matched = np.take_along_axis(nearest(np.sort(flat(a).T, axis=0), size(f)[0]), ranks, 0)
    return sse(flat(f).T, matched)


def slices(directions):
    def error(f, a, _):
        x, y = (np.sort(flat(v).T @ directions.T, axis=0) for v in (f, a))
        return mse(x, nearest(y, len(x)))

    return error


def patches(f):
    h, w, _ = f.shape
    return np.array([f[i : i + 3, j : j + 3].ravel() for i in range(h - 2) for j in range(w - 2)])


def markov(f, a, _):
    x, y = patches(f), patches(a)
    score = (x @ y.T) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    return sse(x, y[score.argmax(1)]) / 18


def spaced(f):
    h, w, n = f.shape
    down, right = (np.round(np.linspace(0, s - 1, min(s, 32))).astype(int) for s in (h, w))
    return f[np.ix_(down, right)].reshape(-1, n)


def cosines(a, b):
    unit = [v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-300) for v in (a, b)]
    return 1 - unit[0] @ unit[1].T


def earth_movers(f, a, _):
    x, y = spaced(f), spaced(a)
    c = cosines(x, y)
    moved = max(c.min(1).mean(), c.min(0).mean())
    cov = np.abs(np.cov(x.T, bias=True) - np.cov(y.T, bias=True)).mean()
    return moved + np.abs(x.mean(0) - y.mean(0)).mean() + cov


def self_similarity(f, p):
    x, y = (cosines(spaced(v), spaced(v)) for v in (f, p))
    return np.abs(x / x.sum(0) - y / y.sum(0)).mean() * len(x)


def laplacians(x, y):
    def of(v):
        h, w = v.shape[0] // 4, v.shape[1] // 4
        small = v[: 4 * h, : 4 * w].reshape(h, 4, w, 4, 3).mean((1, 3)).sum(2)
        rim = small[:-2, 1:-1] + small[2:, 1:-1] + small[1:-1, :-2] + small[1:-1, 2:]
        return 4 * small[1:-1, 1:-1] - rim

    return mse(of(x), of(y))


def steps(x):
    return x[1:] - x[:-1], x[:, 1:] - x[:, :-1]


def none(x):
    return 0.0


def absolute_sum(x):
    dy, dx = steps(x)
    return np.abs(dy).sum() + np.abs(dx).sum()


def absolute_unit(x):
    return absolute_sum(x / 255)


def half_squares(x):
    """neural-style: on 0..256."""
    dy, dx = steps(x * 256 / 255)
    return 0.5 * (dy[:, :-1] ** 2 + dx[:-1] ** 2).sum()


def power(x):
    dy, dx = steps(x)
    return ((dy[:, :-1] ** 2 + dx[:-1] ** 2) ** 1.25).sum()


def own_means(x):
    dy, dx = steps(x)
    return (dy**2).mean() + (dx**2).mean()


def corner(x):
    dy, dx = steps(x / 255)
    return (dy[:, :-1] ** 2 + dx[:-1] ** 2).mean()


def replicated(x):
    p = np.pad(x / 255, ((0, 1), (0, 1), (0, 0)), mode="edge")
    return ((p[:-1, 1:] - p[:-1, :-1]) ** 2 + (p[1:, :-1] - p[:-1, :-1]) ** 2).mean()


def nine_point(x):
    p = np.pad(x / 255, ((1, 1), (1, 1), (0, 0)), mode="edge")
    d1 = ((p[1:-1, 2:] - p[1:-1, 1:-1]) ** 2).mean() / 3
    d2 = ((p[2:, 1:-1] - p[1:-1, 1:-1]) ** 2).mean() / 3
    d3 = ((p[1:, 1:] - p[:-1, :-1]) ** 2).mean() / 12
    d4 = ((p[1:, :-1] - p[:-1, 1:]) ** 2).mean() / 12
    return 2 * (d1 + d2 + d3 + d4)


def wrapped(x):
    y = x / 127.5
    variation = ((y - np.roll(y, -1, 1)) ** 2 + (y - np.roll(y, -1, 0)) ** 2 + np.finfo(np.float32).eps).sum()
    return 127.5 * (variation + 0.4 * (((x - 127.5) / 127.5) ** 6).sum())


def standardised(x):
    dy, dx = steps(x / 255 / np.array((0.229, 0.224, 0.225)))
    return 0.5 * (np.abs(dy).mean() + np.abs(dx).mean())


def wrong_axes(x):
    y = (x / 255)[None]
    return np.abs(y[:, :, 1:] - y[:, :, :-1]).mean() + np.abs(y[..., 1:] - y[..., :-1]).mean()


def whole(n, layers):
    return 1.0


def averaged(n, layers):
    return 1.0 / layers


def per_square(n, layers):
    return 1.0 / (n * n)


def a_fifth(n, layers):
    return 1 / 5


def a_fifth_averaged(n, layers):
    return 1 / 5 / layers


CONVENTIONS = {
    "gatys_2016": (half, paper, none, averaged),
    "deep_textures": (half, paper, none, whole),
    "gatys_released": (mse, per_map, none, per_square),
    "nis": (mse, per_map, none, per_square),
    "nis_normalised": (mse, per_map, none, averaged),
    "neural_style": (mse, per_entry, half_squares, whole),
    "neural_style_pt": (mse, per_entry, absolute_sum, whole),
    "anishathalye": (mse, per_entry, own_means, averaged),
    "lengstrom": (mse, per_entry, own_means, whole),
    "pystiche": (mse, per_map, corner, averaged),
    "pystiche_released": (mse, per_map, none, per_square),
    "pystiche_paper": (half, lambda f, a, s: per_map(f, a, s) / 4, none, averaged),
    "gordicaleksa": (mse, per_entry_sum, absolute_sum, averaged),
    "cysmith": (between, paper_sums, absolute_sum, a_fifth_averaged),
    "hwalsuklee": (between, paper_sums, none, a_fifth),
    "fzliu": (half, paper_sums, none, a_fifth),
    "keras": (sse, keras, power, averaged),
    "titu1994": (sse, keras, power, averaged),
    "hnarayanan": (sse, keras, power, averaged),
    "tensorflow_tutorial": (mse, per_map, absolute_unit, averaged),
    "pytorch_tutorial": (mse, per_entry, none, whole),
    "nicholasjng": (mse, per_entry, none, whole),
    "zeshengliu": (mse, per_entry, wrong_axes, whole),
    "d2l": (mse, per_entry, standardised, whole),
    "texsyn_gram": (mse, per_map, none, whole),
    "laplacian": (mse, per_entry, half_squares, whole),
    "style_transfer_pytorch": (mse, bures, nine_point, whole),
    "style_transfer_pytorch_2022": (scaled, lambda f, a, _: scaled(mean_gram(f), mean_gram(a)), replicated, whole),
    "strotss": (self_similarity, earth_movers, none, averaged),
    "sliced_wasserstein": (mse, slices, none, whole),
    "texsyn_sliced": (mse, slices, none, whole),
    "batch_statistics": (mse, statistics, none, whole),
    "adain": (mse, adain, none, whole),
    "covariance": (mse, covariances, none, whole),
    "activation_shift": (half, shift, none, averaged),
    "relative": (relative, relative_grams, corner, averaged),
    "whitened": (relative, whitened_grams, corner, averaged),
    "mrf": (mse, markov, half_squares, whole),
    "histogram": (mse, histograms, none, whole),
    # style_transfer_caffe has a gradient that is not that of its value: tested on its own
}
