/** The text of a first agent: it loads as it is, and says where to go on. */
export function agentTemplate(name: string): string {
  return `---
description: What ${name} is for
# claude, codex, pi, or custom with a command of its own
provider: claude
bottle: ${name}
---
You are ${name}. Say here what the agent shall know and how it shall work.
`
}

/** The text of a first bottle definition. */
export function bottleTemplate(name: string): string {
  return `---
# docker, macos-container, smolmachines, or host for this machine without a container
backend: docker
# The image that the agent runs in; without one it is the one that comes with the provider.
# image: my-image:latest
# Names of secrets; the values come from the environment or from \`icebox secret set\`.
# secrets: [ANTHROPIC_API_KEY]
---
Notes for people about the bottle ${name}. Icebox does not read them.
`
}
