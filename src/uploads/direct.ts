/** Seconds in which a signed PUT may begin. */
export const signedFor = 15 * 60

/** Seconds that a PUT may take that has begun at the last moment. */
export const putPatience = 60 * 60

/** Seconds in which a multipart upload has to be completed; the sweep aborts what was not. */
export const multipartPatience = 24 * 60 * 60

/** Seconds that reading an object may take before the sweep may come. */
export const completePatience = 15 * 60

/** Bytes: the least that R2 takes for a part that is not the last. */
const minPartSize = 5 * 1024 * 1024

/** Parts that the largest upload can have. */
export const maxParts = (maxBytes: number): number => Math.ceil(maxBytes / minPartSize)
