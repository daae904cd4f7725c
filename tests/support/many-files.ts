import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** What 100 000 files in memory take, a few times over. */
const ROOM = 4_000_000_000

/** A folder for very many small files: in memory where that has room, since a disk may take minutes for them. */
export function quickFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > ROOM ? '/dev/shm' : tmpdir()
  } catch {
    // Only Linux has it.
    return tmpdir()
  }
}

/**
 * A shell script that makes so many thousand small files below `many`, all different, with two modes and a link in
 * each thousand.
 */
export const manyFiles = (thousands: number): string =>
  [
    'mkdir many; cd many',
    `d=0; while [ $d -lt ${thousands} ]; do mkdir d$d; i=0`,
    'while [ $i -lt 1000 ]; do echo "$d $i" > d$d/f$i; i=$((i + 1)); done',
    '$B chmod 600 d$d/f1 d$d/f999; $B ln d$d/f2 d$d/hard; $B ln -s f3 d$d/soft; d=$((d + 1)); done; cd ..',
  ].join('; ')

/**
 * Prints one text that tells of every name, mode, time, link and content of them. With `B=busybox` for images that
 * have the programs only under that name.
 */
export const SUM_OF_MANY = [
  'export LC_ALL=C',
  'echo $($B find many -type f -name "f*" | $B wc -l) files',
  '$B find many -type f | $B sort | $B xargs $B cat | $B sha256sum',
  '$B find many | $B sort | $B xargs $B stat -c "%n %a %h %Y %F" | $B sha256sum',
  '$B find many -type l | $B sort | $B xargs -n 1 $B readlink | $B sha256sum',
].join('; ')
