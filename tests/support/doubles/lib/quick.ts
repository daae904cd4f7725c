import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type Knobs, readKnobs } from './knobs.ts'

/** What a call said and how it ended. */
export interface QuickAnswer {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** Answers a call that only reads, or null for one that needs a process of its own. */
export type Answerer = (argv: readonly string[], pid: number) => Promise<QuickAnswer | null>

/** The first word of the command line of a server; a call has the state's folder there. */
export const SERVE = '--serve'

export const quickSocket = (dir: string): string => join(dir, 'quick.sock')

/**
 * Answers calls that only read without a new process for each: a poll of an adapter then costs a few milliseconds.
 * Every answer is made from the files as they are. Ends with whoever started it. Calls while faults are set run
 * on their own, since a fault may kill or hold them.
 */
export function serveQuick(dir: string, answer: Answerer): Promise<never> {
  const hasFaults = (knobs: Knobs) => (knobs.faults ?? []).length > 0
  const serve = async (socket: Socket): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
    const [pid = '', ...argv] = Buffer.concat(chunks).toString('utf8').split('\0')
    const said = hasFaults(readKnobs(dir)) ? null : await answer(argv, Number(pid))
    if (!said) return void socket.end('-')
    const head = `${said.exitCode} ${said.stdout.length}\n`
    socket.end(Buffer.concat([Buffer.from(head), said.stdout, said.stderr]))
  }
  const { createServer } = process.getBuiltinModule('node:net')
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    serve(socket).catch(() => socket.destroy())
  })
  server.listen(quickSocket(dir), () => process.stdout.write('ready\n'))
  process.stdin.resume().once('end', () => process.exit(0))
  return new Promise(() => undefined)
}

const quoted = (word: string) => `'${word.replace(/['\\]/g, '\\$&')}'`

/**
 * The program on the PATH: asks the server where the first word may be one that only reads, and becomes a process of
 * its own otherwise. Perl starts in a tenth of Node's time.
 */
export function perlProgram(node: string, bundle: string, dir: string, reading: readonly string[]): string {
  return `#!/usr/bin/perl
my ($node, $bundle, $dir, $socket) = (${[node, bundle, `${dir}/`, quickSocket(dir)].map(quoted).join(', ')});
my $s;
my %reading = map { $_ => 1 } (${reading.map(quoted).join(', ')});
if (@ARGV && $reading{$ARGV[0]} && socket($s, 1, 1, 0) && connect($s, pack('SZ*', 1, $socket))) {
  local $SIG{PIPE} = 'IGNORE';
  my $asked = join("\\0", $$, @ARGV);
  syswrite($s, $asked);
  shutdown($s, 1);
  my $said = '';
  while (sysread($s, $said, 65536, length $said)) {}
  if ($said =~ /\\A(\\d+) (\\d+)\\n/) {
    my ($code, $out, $from) = ($1, $2, $+[0]);
    $SIG{PIPE} = 'DEFAULT';
    print STDOUT substr($said, $from, $out);
    print STDERR substr($said, $from + $out);
    exit $code;
  }
}
$ENV{NODE_OPTIONS} = '';
exec { $node } ($node, $bundle, $dir, @ARGV) or die "$node: $!";
`
}

/** The same without the short way. */
export function shellProgram(node: string, bundle: string, dir: string): string {
  const words = [node, bundle, `${dir}/`].map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  return `#!/bin/sh\nNODE_OPTIONS= exec ${words.join(' ')} "$@"\n`
}
