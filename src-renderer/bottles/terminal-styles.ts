let holders = 0

/**
 * Lets the terminal library style itself under a policy that allows no inline style: while somebody holds this,
 * style elements that the page makes are mirrored into constructed sheets, and style attributes of spans are set
 * through the object model. Loosening the policy for one library would be the larger evil. Returns the release.
 */
export function holdTerminalStyles(): () => void {
  holders += 1
  // An own property shadows the prototype's method and is taken away again with the last holder.
  if (holders === 1) document.createElement = createElement as Document['createElement']
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    holders -= 1
    if (holders === 0) Reflect.deleteProperty(document, 'createElement')
  }
}

function createElement(this: Document, tag: string, options?: ElementCreationOptions): HTMLElement {
  if (tag === 'style') return mirroredStyle()
  const element = Document.prototype.createElement.call(document, tag, options)
  if (tag === 'span') mirrorStyleAttribute(element)
  return element
}

/** Stands in for a style element: its text lands in a constructed sheet, which the policy does not concern. */
function mirroredStyle(): HTMLElement {
  const element = Document.prototype.createElement.call(document, 'icebox-style')
  const sheet = new CSSStyleSheet()
  element.hidden = true
  document.adoptedStyleSheets.push(sheet)
  const remove = element.remove.bind(element)
  Object.defineProperty(element, 'textContent', {
    get: () => [...sheet.cssRules].map((rule) => rule.cssText).join('\n'),
    set: (text: string) => sheet.replaceSync(text),
  })
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet)
    remove()
  }
  return element
}

function mirrorStyleAttribute(element: HTMLElement): void {
  const setAttribute = element.setAttribute.bind(element)
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = value
    else setAttribute(name, value)
  }
}
