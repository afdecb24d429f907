/*
 * Outputs of the reference implementations on tiny models whose weights follow the closed form of
 * test/support/closedForm.ts: SONAR 8da24c2 with fairseq2 0.4.5, and large_concept_model fd7db80
 * with fairseq2 0.3.0rc1, on CPU in float32 with PyTorch 2.13. The models are those of
 * test/support/tinyModels.ts.
 *
 * Differences between two float32 implementations are about 1e-6; tests allow 2e-5.
 */

/** Row of step 2 of the sinusoidal positions for D = 32. */
export const sinusoidStep2 = [
  0.90929741, 0.88305783, 0.55280697, 0.31169716, 0.17069915, 0.092698485, 0.0502166,
  0.027183784, 0.014712317, 0.0079620564, 0.0043088542, 0.0023318268, 0.0012619144,
  0.00068290968, 0.0003695701, 0.00019999998, -0.41614684, 0.46926415, 0.83330935, 0.95018148,
  0.98532319, 0.99569422, 0.99873835, 0.99963045, 0.99989176, 0.99996829, 0.9999907, 0.99999726,
  0.99999923, 0.99999976, 0.99999994, 1.0,
];

/** Encoder: two sentences, the second padded. */
export const encoderIds = [33, 5, 6, 7, 3, 34, 8, 3, 0, 0];
export const encoderMask = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0];

/** Embedding of the first sentence. */
export const sentenceEmbedding0 = [
  0.16304384, -0.17624784, 0.71449298, -0.52413839, 0.093308628, 0.57782853, -1.4109954,
  -0.43515587, -0.56063962, -0.79020518, -0.85058892, -0.25635442, 1.2738425, -0.02524966,
  -0.10422692, 0.50570291, -0.41147733, -0.2259049, -0.23288861, 0.62133288, -0.36757508,
  0.33766595, 0.92743987, 1.7373333, -0.73967952, 0.21540967, -0.25692567, -0.51466864,
  0.3648617, 1.9242703, -0.15959854, -0.32033917,
];

/** Embedding of the second sentence. */
export const sentenceEmbedding1 = [
  0.42595157, -0.69076777, 0.38428351, -1.0914501, 0.24080026, 0.21877418, -0.75877094,
  -1.151009, -1.8562611, 0.44923735, 0.2588349, 0.32881454, 0.92392033, 0.69440877, -1.1681263,
  -0.42131683, -0.61132842, 0.16180727, 1.1750565, 0.93035936, -0.78209388, 0.61124951,
  -0.25991172, 1.9918425, -0.51828623, 0.28667563, 0.86456752, -0.25962436, 1.4375581,
  0.7933768, -0.83436811, -1.0419426,
];

/** Decoder: teacher-forced prefixes, one per embedding above. */
export const decoderIds = [
  [3, 33, 10, 11],
  [3, 34, 12, 13],
];
/** Arg max of the logits at each of those positions. */
export const decoderArgMax = [
  [3, 23, 10, 11],
  [3, 36, 12, 13],
];

/** First logits of row 0, position 1. */
export const logits01 = [
  -0.65085822, -1.3193173, 0.19254142, -0.81763881, 1.0261066, 0.6655122, 0.37902012,
  -0.81812203,
];

/** First logits of row 0, position 3. */
export const logits03 = [
  0.070933416, 0.80506641, 0.31451732, -0.074844047, 1.1319743, -0.76927537, -0.18152227,
  -0.76848477,
];

/** First logits of row 1, position 0. */
export const logits10 = [
  -0.95817906, 0.41995385, -0.44638869, 2.6579616, 1.4751514, 0.017810151, -0.77537465,
  -1.0704483,
];

/** First log-probabilities of row 0, position 1. */
export const logProbs01 = [
  -4.8333583, -5.5018177, -3.9899588, -5.0001392,
];

/** Constant of layer 0 for the first embedding. */
export const crossAttentionConstant = [
  0.44755083, -0.87197453, -0.1841749, -0.19260378,
];

/** First of the four concepts, normalised. */
export const normalizedConcept0 = [
  -1.5361859, -0.92267138, 0.45607749, 0.55900848, -1.6863341, 2.5056896, -1.7808882,
  0.80667853, -1.4310225, -1.0583547, 0.69003755, -0.75660884, -0.43956906, -1.1493471,
  -0.55092043, -0.42340377,
];

/** Base-LCM, prediction at position 0, normalised. */
export const basePrediction0 = [
  -0.52536505, -0.013528511, 0.056167241, -0.24635991, -0.36530679, -0.054075174, -1.1909107,
  -0.77774912, -0.15538388, -0.89225864, -0.70566744, 0.28848547, -0.19253269, -1.8106464,
  -0.063801855, -0.18168427,
];

/** Base-LCM, prediction at position 3, normalised. */
export const basePrediction3 = [
  0.41836324, 1.0023165, 2.0118515, 1.4931858, 1.2508245, -1.1440324, -0.32040572, -1.0615858,
  -1.029249, -0.63553381, 0.56367731, -0.73087072, 1.5504822, 0.70811146, 0.4367817, 0.88635105,
];

/** Two-Tower, first numbers of the context at position 3. */
export const context3 = [
  0.714459, -0.18744156, 0.050932597, -0.67357492, 0.87401283, -0.68982142, -1.1836445,
  -0.4986729,
];

/** Two-Tower, first numbers of the embedding of timestep 7. */
export const timestepEmbedding7 = [
  0.61310756, 0.63953066, -0.055986997, -1.2244066, 0.36429262, -0.3498095, 0.004280664,
  0.28072941,
];

/** Two-Tower, prediction at timestep 7 with all four concepts as context. */
export const denoised7 = [
  0.30272201, 1.228074, 0.28802419, 0.4397122, 1.2278221, -0.29288924, 0.47043803, -1.0679264,
  -0.00036919117, -0.6178025, -0.73898131, -1.0055707, -1.2119088, -1.0291492, 0.47957411,
  0.84220535,
];

/** Two-Tower, prediction at timestep 7 without context. */
export const unconditional7 = [
  0.2898477, 1.6566944, 0.55939579, -0.12021907, 1.390511, -0.24649186, 0.90414119, -1.2098819,
  -0.074964643, -0.59467095, -0.5487569, -1.0523788, -1.1758952, -0.49514413, 0.69786209,
  0.76813591,
];
