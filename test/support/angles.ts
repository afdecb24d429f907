/** Returns the concept of the plane at an angle, in degrees. */
export function atAngle(angle: number): Float32Array {
  const radians = (angle * Math.PI) / 180;
  return Float32Array.of(Math.cos(radians), Math.sin(radians));
}

/** Returns the angle of a concept, in whole degrees. */
export function angleOf([x = 0, y = 0]: Float32Array): number {
  return Math.round((Math.atan2(y, x) * 180) / Math.PI);
}
