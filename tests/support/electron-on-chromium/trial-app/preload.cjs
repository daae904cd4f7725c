const { contextBridge, ipcRenderer, webUtils } = require('electron')

class Custom {
  constructor() {
    this.own = 1
  }
  inherited() {}
}

const attempt = (work) => {
  try {
    return work()
  } catch (error) {
    return `threw: ${error.message}`
  }
}

contextBridge.exposeInMainWorld('trial', {
  nested: { list: [1, 2] },
  custom: new Custom(),
  bytes: new Uint8Array([1, 2, 3]),
  invoke: (channel, ...args) => ipcRenderer.invoke(channel, ...args),
  send: (channel, ...args) => ipcRenderer.send(channel, ...args),
  fail() {
    throw Object.assign(new TypeError('plain words'), { code: 'secret' })
  },
  kindOf: (value) => Object.prototype.toString.call(value),
  isPlain: (value) => Object.getPrototypeOf(value) === Object.prototype,
  twice: (callback) => callback(callback(1)),
  later: () => Promise.resolve({ done: true }),
  pathOf: (file) => webUtils.getPathForFile(file),
  requires: (name) => attempt(() => typeof require(name)),
  sync: () => attempt(() => ipcRenderer.sendSync('x')),
  unknownMember: () => attempt(() => ipcRenderer.nothing),
  sendFunction: () => attempt(() => ipcRenderer.send('note', () => {})),
  exposeTwice: () => attempt(() => contextBridge.exposeInMainWorld('trial', {})),
  seesPage: () => typeof window.ofThePage,
  open(sink) {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => sink(data)
    ipcRenderer.postMessage('open', { wanted: 'echo' }, [port2])
    return {
      post: (data) => port1.postMessage(data),
      close: () => port1.close(),
      isGone: () => attempt(() => port2.postMessage(1)),
    }
  },
  onPort(sink) {
    ipcRenderer.once('port', ({ ports: [port] }, hello) => {
      port.onmessage = ({ data }) => sink([hello, data])
      port.postMessage('from page')
    })
  },
  on(channel, listener) {
    ipcRenderer.on(channel, (_event, ...args) => listener(...args))
  },
})
