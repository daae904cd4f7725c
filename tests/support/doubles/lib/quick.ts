import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type Knobs, readKnobs } from './knobs.ts'

/** What a call said and how it ended. */
export interface Said {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** A command that the call's own process runs on its own streams, since nobody else has them. Its end is the call's. */
export interface HandedOver {
  readonly argv: readonly string[]
  /** Exactly the command's environment. */
  readonly env: Readonly<Record<string, string>>
  readonly hasInput: boolean
  /** A note in this folder, named by the command's process, as long as that runs: `{"command":…,"host":…}`. */
  readonly notesIn: string
  /** JSON. */
  readonly note: string
}

export type QuickAnswer = Said | HandedOver

/** Answers a call, or null for one that needs a process of its own. */
export type Answerer = (argv: readonly string[], pid: number) => Promise<QuickAnswer | null>

/** The first word of the command line of a server; a call has the state's folder there. */
export const SERVE = '--serve'

export const quickSocket = (dir: string): string => join(dir, 'quick.sock')

/**
 * Answers calls without a new process of Node for each: a poll of an adapter then costs a few milliseconds.
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
    if ('argv' in said) return void socket.end(handedText(said))
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

function handedText({ argv, env, hasInput, notesIn, note }: HandedOver): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return ['x', hasInput ? '1' : '', notesIn, note, String(variables.length), ...variables, ...argv].join('\0')
}

const quoted = (word: string) => `'${word.replace(/['\\]/g, '\\$&')}'`

/**
 * The program on the PATH: asks the server where the first word may be one that it answers, and becomes a process of
 * its own otherwise. Perl starts in a tenth of Node's time. `own` names variables that only a process of its own reads.
 */
export function perlProgram(
  node: string,
  bundle: string,
  dir: string,
  reading: readonly string[],
  own: readonly string[],
): string {
  return `#!/usr/bin/perl
my ($node, $bundle, $dir, $socket) = (${[node, bundle, `${dir}/`, quickSocket(dir)].map(quoted).join(', ')});
my $s;
my %reading = map { $_ => 1 } (${reading.map(quoted).join(', ')});
my @own = (${own.map(quoted).join(', ')});
if (@ARGV && $reading{$ARGV[0]} && !grep({ exists $ENV{$_} } @own) && socket($s, 1, 1, 0) && connect($s, pack('SZ*', 1, $socket))) {
  $SIG{PIPE} = 'IGNORE';
  my $asked = join("\\0", $$, @ARGV);
  syswrite($s, $asked);
  shutdown($s, 1);
  my $said = '';
  while (sysread($s, $said, 65536, length $said)) {}
  $SIG{PIPE} = 'DEFAULT';
  if ($said =~ /\\A(\\d+) (\\d+)\\n/) {
    my ($code, $out, $from) = ($1, $2, $+[0]);
    print STDOUT substr($said, $from, $out);
    print STDERR substr($said, $from + $out);
    exit $code;
  }
  if ($said =~ /\\Ax\\0/) {
    my (undef, $input, $notes, $note, $count, @line) = split /\\0/, $said, -1;
    my %env = map { split /=/, $_, 2 } splice @line, 0, $count;
    $SIG{INT} = sub {} if $input;
    $SIG{CHLD} = 'DEFAULT';
    my $child = fork;
    die "fork: $!" unless defined $child;
    if (!$child) {
      chdir '/';
      open STDIN, '<', '/dev/null' unless $input;
      %ENV = %env;
      exec { $line[0] } @line;
      die "$line[0]: $!";
    }
    # The start is the twentieth field, counted behind the name, which may hold blanks.
    if (open my $stat, '<', "/proc/$child/stat") {
      my $start = (split / /, (<$stat> =~ s/.*\\) //sr))[19];
      if (open my $file, '>', "$notes/$child.tmp") {
        print $file qq({"command":$note,"host":{"pid":$child,"start":"$start"}});
        close $file;
        rename "$notes/$child.tmp", "$notes/$child.json";
      }
    }
    1 until waitpid($child, 0) == $child;
    my $end = $?;
    unlink "$notes/$child.json";
    exit(($end & 127) ? 128 + ($end & 127) : $end >> 8);
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
