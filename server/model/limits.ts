/*
 * What the numbers of a configuration or a manifest may be. Files of strangers are compared with
 * these before anything is allocated. Each limit is far above the largest published model.
 */

/** A model of ten parts takes a few kilobytes; small enough to be read at once. */
export const maxConfigBytes = 1024 * 1024;

/** D and E: sixteen times the largest published model (4096). */
export const dimensions = { min: 1, max: 65536 };

/** F: sixteen times the largest dimension. */
export const innerDimensions = { min: 1, max: 1 << 20 };

/** L: ten times the deepest published model (32). */
export const layerCounts = { min: 1, max: 320 };

/** H: thirty times the widest published model (32). */
export const headCounts = { min: 1, max: 1024 };

/** Eight times the longest published model (4096): tables of positions have this length. */
export const sequenceLengths = { min: 1, max: 32768 };

/** Of a byte model: windows of a text overlap by half of it. */
export const entropyLengths = { min: 4, max: sequenceLengths.max };

/** V: sixteen times the vocabulary of NLLB (256,206). */
export const vocabularySizes = { min: 4, max: 1 << 22 };

/** A hundred times the reference's default (1000): noise schedules have this length. */
export const diffusionTrainSteps = { min: 1, max: 100_000 };

/** Ten times the languages of NLLB. */
export const maxLangs = 2020;

/** More than anyone puts into one folder. */
export const maxConceptModels = 100;

/** Directions of a concept space: far more than a menu shows. */
export const maxDirections = 256;

export const probabilities = { min: 0, max: 1 };

export const positiveNumbers = { min: Number.MIN_VALUE, max: Number.MAX_VALUE };

export const finiteNumbers = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

export const cosines = { min: -1, max: 1 };

/** Far more sentences than a text is continued by at once. */
export const sentenceCounts = { min: 0, max: 10_000 };

/** Sixteen times those of Quant-LCM (64). */
export const codebookCounts = { min: 1, max: 1024 };

/** Eight times those of Quant-LCM (8192). */
export const codebookSizes = { min: 1, max: 65536 };

/** Scales beyond which guidance drowns what it guides; the papers go to 10. */
export const guidanceScales = { min: 0, max: 20 };

/** Deviations of the first noise; 1 is that of training. */
export const noiseScales = { min: 0, max: 4 };

/** From always the best to anything: logits are divided by it. */
export const temperatures = { min: 1e-6, max: 1e6 };
