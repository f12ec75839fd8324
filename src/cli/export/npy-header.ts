// NumPy's file format for a matrix of float32, version 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

/** Fixed, so that the header can be written again when the number of rows is known. */
const HEADER_BYTES = 128;
const PREAMBLE_BYTES = 10;

/** The bytes before the numbers, which follow row by row, little-endian. */
export function npyHeader(rows: number, columns: number): Uint8Array {
  const facts = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const text = `${facts.padEnd(HEADER_BYTES - PREAMBLE_BYTES - 1)}\n`;
  const header = new Uint8Array(HEADER_BYTES);
  header.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  new DataView(header.buffer).setUint16(8, HEADER_BYTES - PREAMBLE_BYTES, true);
  header.set(new TextEncoder().encode(text), PREAMBLE_BYTES);
  return header;
}
