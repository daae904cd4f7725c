export const TAR_BLOCK = 512
/** What eleven octal digits hold. */
const OCTAL_MAX = 8 ** 11 - 1

/** The header of one file of an archive: no time, no owner, mode 0644. Names are at most 100 ASCII characters. Pure. */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK)
  header.write(name, 0, 100, 'latin1')
  header.write('0000644\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  writeSize(header, size)
  header.write('00000000000\0', 136, 'latin1')
  header.write('        ', 148, 'latin1')
  header.write('0', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  header.write('0000000\0', 329, 'latin1')
  header.write('0000000\0', 337, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function writeSize(header: Buffer, size: number): void {
  if (size <= OCTAL_MAX) {
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
    return
  }
  // Beyond 8 GiB all readers take the binary form.
  header.writeBigUInt64BE(BigInt(size), 128)
  header[124] = 0x80
}

/** Zeros that fill the last block of a content. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK
}

/** Bytes of an archive of files of these sizes. */
export function tarBytes(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + TAR_BLOCK + size + tarPadding(size), 2 * TAR_BLOCK)
}
