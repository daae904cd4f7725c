import { join } from 'node:path'
import type { Configuration } from 'electron-builder'

// How the desktop app is packed, signed and published. Why it is so: docs/decisions/0018-how-the-desktop-is-packed.md

/** Switches burnt into the binary; the check after a build (tests/packaging/check-app.ts) reads them back. */
export const FUSES = {
  runAsNode: false,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  enableEmbeddedAsarIntegrityValidation: true,
  onlyLoadAppFromAsar: true,
  grantFileProtocolExtraPrivileges: false,
  // The app has no cookies. Encrypted ones would make the keychain ask at the first start, for nothing.
  enableCookieEncryption: false,
  loadBrowserProcessSpecificV8Snapshot: false,
} as const satisfies NonNullable<Configuration['electronFuses']>

/** Packages that the build takes in whole (`externalizeDeps.exclude` in electron.vite.config.ts). */
export const BUNDLED = [
  'commander',
  'diff',
  'dockerode',
  'execa',
  'fastest-levenshtein',
  'tar-stream',
  'ws',
  'yaml',
  'zod',
] as const

/** Packages of those that are taken in: so are these, or nothing asks for them (docs/decisions/0032-what-a-command-loads.md). */
export const BUNDLED_WITH_THEM = [
  'docker-modem',
  'ssh2',
  'tar-fs',
  'protobufjs',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  // Native speed-ups of its SSH, which nothing here uses (0033).
  'cpu-features',
  'nan',
  'buildcheck',
] as const

const NOTARY = [
  ['APPLE_API_KEY', 'APPLE_API_KEY_ID', 'APPLE_API_ISSUER'],
  ['APPLE_ID', 'APPLE_APP_SPECIFIC_PASSWORD', 'APPLE_TEAM_ID'],
] as const

type Environment = Readonly<Record<string, string | undefined>>

/** Where updates come from; without either variable the app has none and says so. */
function publish(env: Environment): NonNullable<Configuration['publish']> | null {
  const [owner, repo] = env.ICEBOX_UPDATE_REPO?.split('/') ?? []
  if (owner && repo) return { provider: 'github', owner, repo, releaseType: 'draft' }
  const url = env.ICEBOX_UPDATE_URL
  if (!url) return null
  if (!url.startsWith('https://')) throw new Error('ICEBOX_UPDATE_URL must begin with https://')
  return { provider: 'generic', url }
}

/** The whole configuration. Credentials and addresses come from the environment. Pure. */
export function configure(env: Environment): Configuration {
  const isSigned = Boolean(env.CSC_LINK || env.CSC_NAME)
  return {
    appId: 'app.icebox.desktop',
    productName: 'Icebox',
    copyright: 'The Icebox contributors, MIT licence',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: electron-builder fills them in
    artifactName: '${productName}-${version}-${os}-${arch}.${ext}',
    directories: { output: 'out/packages', buildResources: 'src-main/shell/resources' },
    // Names what goes in; nothing else does. Of node_modules only the production packages are ever looked at.
    files: [
      'package.json',
      'LICENSE',
      'out/main/{index,serve,worker}.js',
      'out/main/chunks/*.js',
      'out/preload/index.cjs',
      'out/renderer/**',
      'src-main/shell/resources/icon.png',
      'src-main/shell/resources/tray/**',
      'src-main/shell/resources/drag/**',
      '!**/*.{map,ts,mts,cts,md,markdown}',
      '!**/node_modules/**/{test,tests,__tests__,docs,example,examples}/**',
      ...[...BUNDLED, ...BUNDLED_WITH_THEM].map((name) => `!node_modules/${name}/**`),
      // Their code is in the bundle, so their terms go along.
      ...[...BUNDLED, 'docker-modem', 'ssh2'].map(
        (name) => `node_modules/${name}/{LICENSE,LICENSE.*,license}`,
      ),
      '!node_modules/@lydell/node-pty-*/**',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: electron-builder fills them in
      'node_modules/@lydell/node-pty-${platform}-${arch}/**',
    ],
    extraMetadata: {
      name: 'icebox',
      productName: 'Icebox',
      homepage: env.ICEBOX_HOMEPAGE || 'https://icebox.invalid/',
    },
    asar: true,
    // The system opens icons by path, and loads native code and starts programs only from real files.
    asarUnpack: ['src-main/shell/resources/**', '**/*.node', '**/spawn-helper'],
    // Terminals come with built programs for each system; nothing is compiled here.
    npmRebuild: false,
    electronLanguages: ['en'],
    electronFuses: { ...FUSES },
    publish: publish(env),
    generateUpdatesFilesForAllChannels: true,
    fileAssociations: [
      {
        ext: 'bottle',
        name: 'Icebox bottle',
        description: 'Frozen bottle',
        mimeType: 'application/vnd.icebox.bottle',
        role: 'Editor',
        rank: 'Owner',
      },
    ],
    protocols: [{ name: 'Icebox', schemes: ['icebox'], role: 'Viewer' }],
    mac: {
      category: 'public.app-category.developer-tools',
      icon: 'icon.icns',
      minimumSystemVersion: '13.0',
      target: (['dmg', 'zip'] as const)
        .map((target) => ({ target, arch: ['arm64', 'x64'] as const }))
        .map(mutable),
      // Without a certificate the app is signed for this machine only; an arm64 Mac runs nothing unsigned.
      ...(isSigned ? {} : { identity: '-' }),
      // The hardened runtime loads only what its own team signed, and such a signature has no team.
      hardenedRuntime: isSigned,
      gatekeeperAssess: false,
      entitlements: 'src-main/shell/resources/entitlements.plist',
      entitlementsInherit: 'src-main/shell/resources/entitlements.plist',
      notarize: isSigned && NOTARY.some((names) => names.every((name) => env[name])),
      extendInfo: {
        CFBundleDevelopmentRegion: 'en',
        UTExportedTypeDeclarations: [
          {
            UTTypeIdentifier: 'app.icebox.bottle',
            UTTypeDescription: 'Icebox bottle',
            UTTypeConformsTo: ['public.data', 'public.archive'],
            UTTypeTagSpecification: {
              'public.filename-extension': ['bottle'],
              'public.mime-type': ['application/vnd.icebox.bottle'],
            },
          },
        ],
      },
    },
    dmg: { sign: false },
    linux: {
      // The plain name belongs to the command (src-main/shell/resources/deb/icebox).
      executableName: 'icebox-desktop',
      icon: 'linux',
      category: 'Development',
      synopsis: 'Freeze, resume, fork and carry the sandboxes that coding agents run in',
      maintainer: env.ICEBOX_MAINTAINER || 'The Icebox contributors <maintainers@icebox.invalid>',
      target: (['AppImage', 'deb'] as const)
        .map((target) => ({ target, arch: ['x64', 'arm64'] as const }))
        .map(mutable),
      desktop: { entry: { StartupWMClass: 'Icebox', Keywords: 'sandbox;container;agent;snapshot;' } },
    },
    deb: {
      packageName: 'icebox',
      packageCategory: 'devel',
      priority: 'optional',
      fpm: [`${join(import.meta.dirname, 'src-main/shell/resources/deb/icebox')}=/usr/bin/icebox`],
    },
  }
}

function mutable<T extends string>(target: {
  readonly target: T
  readonly arch: readonly ['arm64', 'x64'] | readonly ['x64', 'arm64']
}) {
  return { target: target.target, arch: [...target.arch] }
}

export default configure(process.env)
