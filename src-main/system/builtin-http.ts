/**
 * Node's HTTP modules, had without an import statement: importing `node:http` as a module reads every export
 * of it, and one of them loads Node's whole fetch library, which costs a short command more than all its work.
 */
export const http = () => process.getBuiltinModule('node:http')
export const https = () => process.getBuiltinModule('node:https')
