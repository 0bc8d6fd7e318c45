// Short definitions, each with where it comes from.

const HAN = { source: 'Han, Mao and Dally, Deep Compression, 2016', link: 'https://arxiv.org/abs/1510.00149' };

/** @satisfies {Record<string, { text: string, source: string, link: string }>} */
export const TERMS = {
  weight: {
    text: 'A number by which a network multiplies one of its inputs. Training finds it.',
    source: 'LeCun et al., Gradient-based learning applied to document recognition, 1998',
    link: 'https://doi.org/10.1109/5.726791',
  },
  kurtosis: {
    text: 'How heavy the tails of a distribution are: the mean fourth power of the distance to the mean, over the squared variance. A normal distribution has 3.',
    source: 'Westfall, Kurtosis as peakedness, 2014',
    link: 'https://doi.org/10.1080/00031305.2014.917055',
  },
  sparsity: { text: 'The share of weights that are zero. A zero need be neither stored nor multiplied.', ...HAN },
  saliency: {
    text: "How much a weight matters. Here: its magnitude, times the norm of the paths from its neuron to the network's output.",
    source: 'LeCun, Denker and Solla, Optimal brain damage, 1989',
    link: 'https://proceedings.neurips.cc/paper/1989/hash/6c9882bbac1c7093bd25041881277658-Abstract.html',
  },
  loss: {
    text: 'How wrong the answers are: the mean of minus the logarithm of the probability that was given to the right class, in nats. Finer than the share of right answers.',
    source: 'Goodfellow, Bengio and Courville, Deep learning, 2016',
    link: 'https://www.deeplearningbook.org/contents/ml.html',
  },
  unit: {
    text: 'A channel of a convolution, or a neuron of a linear layer: one output, with all the weights that feed it.',
    source: 'LeCun et al., Gradient-based learning applied to document recognition, 1998',
    link: 'https://doi.org/10.1109/5.726791',
  },
  'half-interval search': {
    text: 'Finds the largest value that passes a test: try the middle of an interval, keep the half in which the answer lies, and go on with that.',
    source: 'Frickenstein, Unger and Stechele, CRV 2019',
    link: 'https://doi.org/10.1109/CRV.2019.00011',
  },
  'standard error': {
    text: 'How far a mean over some samples may well be from the mean over all: the deviation over the square root of their number.',
    source: 'Altman and Bland, Standard deviations and standard errors, 2005',
    link: 'https://doi.org/10.1136/bmj.331.7521.903',
  },
  codebook: { text: 'The few values that the weights of a layer may have. A weight is stored as the index of its value.', ...HAN },
  'k-means': {
    text: 'The k values with the smallest mean squared distance of each weight to its nearest value. In one dimension the best ones can be found exactly.',
    source: 'Wang and Song, Ckmeans.1d.dp, 2011',
    link: 'https://doi.org/10.32614/RJ-2011-015',
  },
  distortion: {
    text: 'The mean squared distance between the weights and the values that stand for them, here over the mean square of the weights.',
    source: 'Lloyd, Least squares quantization in PCM, 1982',
    link: 'https://doi.org/10.1109/TIT.1982.1056489',
  },
  knee: {
    text: 'Where a curve bends most: beyond it, more effort gains little.',
    source: "Satopaa et al., Finding a 'kneedle' in a haystack, 2011",
    link: 'https://doi.org/10.1109/ICDCSW.2011.20',
  },
  'fixed point': {
    text: 'A number as a whole number times a power of two. Qm.n has m bits before the binary point, n behind it, and a sign.',
    source: 'Jacob et al., Quantization and training for integer-arithmetic-only inference, 2018',
    link: 'https://arxiv.org/abs/1712.05877',
  },
  entropy: {
    text: 'The fewest bits a symbol that any code of independent symbols can reach: rare symbols cost more, frequent ones less.',
    source: 'Shannon, A mathematical theory of communication, 1948',
    link: 'https://doi.org/10.1002/j.1538-7305.1948.tb01338.x',
  },
  'Huffman code': {
    text: 'The best code that gives each symbol a whole number of bits.',
    source: 'Huffman, A method for the construction of minimum-redundancy codes, 1952',
    link: 'https://doi.org/10.1109/JRPROC.1952.273898',
  },
  'range coder': {
    text: 'Turns decisions and their probabilities into bytes, at almost exactly their information: a decision may cost a fraction of a bit.',
    source: 'Martin, Range encoding, 1979',
    link: 'https://en.wikipedia.org/wiki/Range_coding',
  },
  'Deep Compression': {
    text: 'Pruning, weight sharing and Huffman coding, one after the other. Its file has the distance to the next nonzero weight, and the index of its value.',
    ...HAN,
  },
  DEFLATE: {
    text: 'The compression of .zip, .gz and .png files: repeated strings, then Huffman codes.',
    source: 'Deutsch, RFC 1951, 1996',
    link: 'https://www.rfc-editor.org/rfc/rfc1951',
  },
  'validation samples': {
    text: 'Samples that are never trained on: they search and select. Test samples are looked at once, at the end.',
    source: 'Hastie, Tibshirani and Friedman, The elements of statistical learning, 2009',
    link: 'https://hastie.su.domains/ElemStatLearn/',
  },
  'confusion matrix': {
    text: 'How often each class was taken for each other: a row a class, a column an answer.',
    source: 'Fawcett, An introduction to ROC analysis, 2006',
    link: 'https://doi.org/10.1016/j.patrec.2005.10.010',
  },
  'signal-to-noise ratio': {
    text: "The sum of the squares of the weights over that of what rounding changed in them, in decibels: 10 more are a tenth of the noise's power.",
    source: 'Lloyd, Least squares quantization in PCM, 1982',
    link: 'https://doi.org/10.1109/TIT.1982.1056489',
  },
  'Pareto front': {
    text: 'The results that no other beats in both size and accuracy.',
    source: 'Pareto efficiency',
    link: 'https://en.wikipedia.org/wiki/Pareto_front',
  },
};
