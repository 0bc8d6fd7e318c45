// Short definitions, each with where it comes from.

const HAN = { source: 'Han, Mao and Dally, Deep Compression, 2016', link: 'https://arxiv.org/abs/1510.00149' };

/** @satisfies {Record<string, { text: string, source: string, link: string }>} */
export const TERMS = {
  weight: {
    text: 'A number by which a network multiplies one of its inputs. Training sets it.',
    source: 'LeCun et al., Gradient-based learning applied to document recognition, 1998',
    link: 'https://doi.org/10.1109/5.726791',
  },
  kurtosis: {
    text: 'A measure of how heavy the tails of a distribution are: the fourth central moment divided by the squared variance. A normal distribution has a kurtosis of 3.',
    source: 'Westfall, Kurtosis as peakedness, 2014',
    link: 'https://doi.org/10.1080/00031305.2014.917055',
  },
  sparsity: { text: 'The share of weights that are zero. A zero needs neither storage nor a multiplication.', ...HAN },
  saliency: {
    text: "How much a weight matters to the output. Here it is the magnitude of the weight times the norm of the paths from its neuron to the network's output.",
    source: 'LeCun, Denker and Solla, Optimal brain damage, 1989',
    link: 'https://proceedings.neurips.cc/paper/1989/hash/6c9882bbac1c7093bd25041881277658-Abstract.html',
  },
  loss: {
    text: 'Cross-entropy: the mean negative logarithm of the probability that the network gives the correct class, in nats. It is a finer measure than accuracy.',
    source: 'Goodfellow, Bengio and Courville, Deep learning, 2016',
    link: 'https://www.deeplearningbook.org/contents/ml.html',
  },
  unit: {
    text: 'A channel of a convolution or a neuron of a linear layer: one output, with all the weights that feed it.',
    source: 'LeCun et al., Gradient-based learning applied to document recognition, 1998',
    link: 'https://doi.org/10.1109/5.726791',
  },
  'half-interval search': {
    text: 'Finds the largest value that passes a test: try the middle of an interval, keep the half that contains the answer, and repeat. Also called bisection.',
    source: 'Frickenstein, Unger and Stechele, CRV 2019',
    link: 'https://doi.org/10.1109/CRV.2019.00011',
  },
  'standard error': {
    text: 'How far the mean of a sample typically lies from the true mean: the standard deviation divided by the square root of the number of samples.',
    source: 'Altman and Bland, Standard deviations and standard errors, 2005',
    link: 'https://doi.org/10.1136/bmj.331.7521.903',
  },
  codebook: { text: 'The small set of values that the weights of a layer share. Each weight is stored as an index into it.', ...HAN },
  'k-means': {
    text: 'Clustering that chooses k values so that the mean squared distance from each weight to its nearest value is smallest. In one dimension, the optimum can be found exactly.',
    source: 'Wang and Song, Ckmeans.1d.dp, 2011',
    link: 'https://doi.org/10.32614/RJ-2011-015',
  },
  distortion: {
    text: 'The mean squared distance between the weights and the values that replace them, here divided by the mean square of the weights.',
    source: 'Lloyd, Least squares quantization in PCM, 1982',
    link: 'https://doi.org/10.1109/TIT.1982.1056489',
  },
  knee: {
    text: 'The point where a curve bends most sharply. Beyond it, more values gain little.',
    source: "Satopaa et al., Finding a 'kneedle' in a haystack, 2011",
    link: 'https://doi.org/10.1109/ICDCSW.2011.20',
  },
  'fixed point': {
    text: 'A number format: an integer times a fixed power of two. Qm.n has a sign, m bits before the binary point and n bits after it.',
    source: 'Jacob et al., Quantization and training for integer-arithmetic-only inference, 2018',
    link: 'https://arxiv.org/abs/1712.05877',
  },
  entropy: {
    text: 'The lower limit, in bits per symbol, for any code that treats symbols as independent. Rare symbols cost more bits, frequent symbols fewer.',
    source: 'Shannon, A mathematical theory of communication, 1948',
    link: 'https://doi.org/10.1002/j.1538-7305.1948.tb01338.x',
  },
  'Huffman code': {
    text: 'The shortest code that gives each symbol a whole number of bits.',
    source: 'Huffman, A method for the construction of minimum-redundancy codes, 1952',
    link: 'https://doi.org/10.1109/JRPROC.1952.273898',
  },
  'range coder': {
    text: 'An entropy coder that encodes decisions at almost exactly their information content, given their probabilities. One decision can cost a fraction of a bit.',
    source: 'Martin, Range encoding, 1979',
    link: 'https://en.wikipedia.org/wiki/Range_coding',
  },
  'Deep Compression': {
    text: 'A method that combines pruning, weight sharing and Huffman coding. For each nonzero weight, its file stores the distance from the previous one and the index of its value.',
    ...HAN,
  },
  DEFLATE: {
    text: 'The compression method of .zip, .gz and .png files: it replaces repeated strings, then applies Huffman codes.',
    source: 'Deutsch, RFC 1951, 1996',
    link: 'https://www.rfc-editor.org/rfc/rfc1951',
  },
  'validation samples': {
    text: 'Samples held out from training and used for the searches and for model selection. Test samples are used only once, at the end.',
    source: 'Hastie, Tibshirani and Friedman, The elements of statistical learning, 2009',
    link: 'https://hastie.su.domains/ElemStatLearn/',
  },
  'confusion matrix': {
    text: 'Counts of how often the network takes each class for each other class: one row per true class, one column per answer.',
    source: 'Fawcett, An introduction to ROC analysis, 2006',
    link: 'https://doi.org/10.1016/j.patrec.2005.10.010',
  },
  'signal-to-noise ratio': {
    text: "The sum of the squared weights divided by the sum of the squared rounding errors, in decibels. 10 dB more means a tenth of the noise power.",
    source: 'Lloyd, Least squares quantization in PCM, 1982',
    link: 'https://doi.org/10.1109/TIT.1982.1056489',
  },
  sensitivity: {
    text: "How far the network's outputs move, as a share of their size, when only this layer is rounded, with a signal-to-noise ratio of 25 dB. It is measured on eight validation samples, and says how much a layer's rounding errors count.",
    source: 'Zhou et al., Adaptive quantization for deep neural network, AAAI 2018',
    link: 'https://arxiv.org/abs/1712.01048',
  },
  trellis: {
    text: 'Two grids take turns, one of even and one of odd multiples of a fine step; which comes next follows from the numbers before. Each number is written as its place in a coarse grid, yet lies nearer to the original. The best way through all turns is found by dynamic programming.',
    source: 'Marcellin and Fischer, Trellis coded quantization of memoryless and Gauss-Markov sources, 1990',
    link: 'https://doi.org/10.1109/26.46532',
  },
  'Pareto front': {
    text: 'The results that no other result beats in both size and accuracy.',
    source: 'Pareto efficiency',
    link: 'https://en.wikipedia.org/wiki/Pareto_front',
  },
};
